import CNI
import Linux
import Netlink
import RouteNetlink

extension CNIPlugin {
    /// Does every part of a collection even when one fails, and reports the first failure: addresses, links, rules, and
    /// what a plugin has besides.
    func collectGarbage(
        _ request: CNIRequest, masquerades: Bool, _ collectOwn: () throws -> Void = {}
    ) throws {
        let isObsolete = try AttachmentTag.isObsolete(request)
        var failure: (any Error)?
        func attempt(_ part: () throws -> Void) {
            do { try part() } catch { failure = failure ?? error }
        }
        attempt { if !request.configuration.ipamType.isEmpty { try AddressManagement.forward(request) } }
        // A runtime that was killed can leave a namespace that nobody knows any more, and with it a link that works.
        attempt { try deleteLinks(kind: "veth", where: isObsolete) }
        attempt { if masquerades { try Masquerade.collectGarbage(request) } }
        attempt(collectOwn)
        if let failure { throw failure }
    }

    /// Deletes the host's links of a kind that have an obsolete tag.
    func deleteLinks(kind: String, where isObsolete: (String) -> Bool) throws {
        var host = try RouteSocket()
        for link in try host.links() where link.kind == kind && isObsolete(link.alias) {
            do throws(NetlinkError) {
                try host.deleteLink(link.index)
            } catch {
                // Its namespace may have ended meanwhile.
                guard error.errno == .noDevice else { throw error }
            }
        }
    }
}
