import Addresses
import CNI
import Linux
import Netlink
import RouteNetlink

/// The two ends of an attachment: one in the container, one on the host.
struct VethPair {
    /// The end on the host.
    let host: LinkSummary
    /// The end in the container.
    let container: LinkSummary

    /// Creates both ends where they belong; both are down.
    ///
    /// The host's end gets a random name as the reference plugins form it. Errors: the interface exists already.
    static func create(
        _ name: String, mtu: Int, mac: MACAddress? = nil, in container: inout ContainerNamespace,
        host: inout RouteSocket
    ) throws -> VethPair {
        let end = try withRandomName(name, host: &host) { hostName, _ throws(NetlinkError) in
            try container.routes.createVeth(
                name: name, peer: hostName, peerNamespace: container.home.descriptor.rawValue,
                mtu: mtu == 0 ? nil : mtu, mac: mac)
        }
        guard let named = try container.routes.summary(ofLink: name) else { throw vanished(name) }
        return VethPair(host: end, container: named)
    }

    /// Creates a pair with both ends on the host; `container` is the one that has the name.
    @discardableResult
    static func create(_ name: String, mtu: Int, host: inout RouteSocket) throws -> VethPair {
        let end = try withRandomName(name, host: &host) { hostName, host throws(NetlinkError) in
            try host.createVeth(name: name, peer: hostName, mtu: mtu == 0 ? nil : mtu)
        }
        guard let named = try host.summary(ofLink: name) else { throw vanished(name) }
        return VethPair(host: end, container: named)
    }

    /// Tries random names for the host's end until one is free; returns that end.
    private static func withRandomName(
        _ name: String, host: inout RouteSocket,
        create: (String, inout RouteSocket) throws(NetlinkError) -> Void
    ) throws -> LinkSummary {
        for _ in 0..<10 {
            var random = Array("veth".utf8)
            random.append(hexadecimal: UInt64(UInt32.random(in: 0...UInt32.max)), digits: 8)
            let hostName = String(decoding: random, as: UTF8.self)
            do throws(NetlinkError) {
                try create(hostName, &host)
            } catch {
                guard error.errno == .exists else { throw CNIError("failed to make veth pair: \(error)") }
                if try host.summary(ofLink: hostName) != nil { continue }
                throw CNIError("container veth name provided (\(name)) already exists")
            }
            guard let end = try host.summary(ofLink: hostName) else { throw vanished(hostName) }
            return end
        }
        throw CNIError("failed to find a unique veth name")
    }

    static func vanished(_ name: String) -> CNIError {
        CNIError("failed to lookup \"\(name)\": it vanished after its creation")
    }
}

extension CNIResult.Interface {
    /// Describes a link as results do.
    init(_ link: LinkSummary, sandbox: String? = nil) {
        self.init(name: link.name, mac: link.mac?.description, mtu: link.mtu, sandbox: sandbox)
    }
}
