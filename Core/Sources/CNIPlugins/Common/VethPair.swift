import CNI
import Linux
import Netlink
import RouteNetlink

/// The two ends of an attachment: one in the container, one on the host.
struct VethPair {
    /// The end on the host.
    let host: Link
    /// The end in the container.
    let container: Link

    /// Creates both ends where they belong; both are down.
    ///
    /// The host's end gets a random name as the reference plugins form it. Errors: the interface exists already.
    static func create(
        _ name: String, mtu: Int, mac: MACAddress? = nil, in container: inout ContainerNamespace,
        host: inout RouteSocket
    ) throws -> VethPair {
        let hostNamespace = try NetworkNamespace.current()
        for _ in 0..<10 {
            let digits = String(UInt32.random(in: 0...UInt32.max), radix: 16)
            let hostName = "veth" + String(repeating: "0", count: 8 - digits.count) + digits
            do throws(NetlinkError) {
                try container.routes.createVeth(
                    name: name, peer: hostName, peerNamespace: hostNamespace.descriptor.rawValue,
                    mtu: mtu == 0 ? nil : mtu, mac: mac)
            } catch  where error.errno == .exists {
                if try host.link(named: hostName) != nil { continue }
                throw CNIError("container veth name provided (\(name)) already exists")
            } catch {
                throw CNIError("failed to make veth pair: \(error)")
            }
            guard let hostEnd = try host.link(named: hostName) else {
                throw CNIError("failed to lookup \"\(hostName)\": it vanished after its creation")
            }
            return VethPair(host: hostEnd, container: try container.link(named: name))
        }
        throw CNIError("failed to find a unique veth name")
    }
}

extension CNIResult.Interface {
    /// Describes a link as results do.
    init(_ link: Link, sandbox: String? = nil) {
        self.init(name: link.name, mac: link.mac?.description, mtu: link.mtu, sandbox: sandbox)
    }
}
