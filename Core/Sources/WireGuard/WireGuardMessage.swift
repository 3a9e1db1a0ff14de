internal import Addresses
internal import CLinux
internal import Glibc
public import Netlink

/// The messages of the kernel's WireGuard (linux/wireguard.h), as values.
public enum WireGuardMessage {
    /// What shall become of a peer.
    public enum PeerChange: Hashable, Sendable {
        /// It is added, or replaced with its addresses.
        case set(WireGuardPeer)
        /// It goes.
        case remove(WireGuardKey)
    }

    /// The most peers of one request: an attribute holds 64 KiB, and a peer has few addresses.
    static let peersPerRequest = 100

    /// Asks for a device's key, port and peers.
    public static func get(family: UInt16, interface: Int32) -> NetlinkRequest {
        GenericNetlink.request(family: family, command: UInt8(WG_CMD_GET_DEVICE.rawValue), version: version) {
            $0.attribute(Int(WGDEVICE_A_IFINDEX.rawValue), interface)
        }
    }

    /// Gives a device its private key and port.
    public static func set(
        family: UInt16, interface: Int32, privateKey: WireGuardKey?, listenPort: UInt16
    ) -> NetlinkRequest {
        request(family, interface) { payload in
            if let privateKey { payload.attribute(Int(WGDEVICE_A_PRIVATE_KEY.rawValue), bytes: privateKey.bytes) }
            payload.attribute(Int(WGDEVICE_A_LISTEN_PORT.rawValue), listenPort)
        }
    }

    /// Changes some of a device's peers and leaves the others alone.
    public static func change(family: UInt16, interface: Int32, _ changes: [PeerChange]) -> [NetlinkRequest] {
        stride(from: 0, to: changes.count, by: peersPerRequest).map { start in
            request(family, interface) { payload in
                payload.nested(Int(WGDEVICE_A_PEERS.rawValue)) { list in
                    for change in changes[start..<min(start + peersPerRequest, changes.count)] {
                        list.nested(0) { encode(change, to: &$0) }
                    }
                }
            }
        }
    }

    private static let version = UInt8(WG_GENL_VERSION)

    private static func request(
        _ family: UInt16, _ interface: Int32, _ attributes: (inout NetlinkWriter) -> Void
    ) -> NetlinkRequest {
        GenericNetlink.request(family: family, command: UInt8(WG_CMD_SET_DEVICE.rawValue), version: version) {
            $0.attribute(Int(WGDEVICE_A_IFINDEX.rawValue), interface)
            attributes(&$0)
        }
    }

    private static func encode(_ change: PeerChange, to writer: inout NetlinkWriter) {
        switch change {
        case .remove(let key):
            writer.attribute(Int(WGPEER_A_PUBLIC_KEY.rawValue), bytes: key.bytes)
            writer.attribute(Int(WGPEER_A_FLAGS.rawValue), UInt32(WGPEER_F_REMOVE_ME.rawValue))
        case .set(let peer):
            writer.attribute(Int(WGPEER_A_PUBLIC_KEY.rawValue), bytes: peer.publicKey.bytes)
            writer.attribute(Int(WGPEER_A_FLAGS.rawValue), UInt32(WGPEER_F_REPLACE_ALLOWEDIPS.rawValue))
            if let endpoint = peer.endpoint {
                writer.attribute(Int(WGPEER_A_ENDPOINT.rawValue), bytes: endpoint.socketAddress)
            }
            writer.nested(Int(WGPEER_A_ALLOWEDIPS.rawValue)) { list in
                for prefix in peer.allowed.sorted() {
                    list.nested(0) { entry in
                        entry.attribute(Int(WGALLOWEDIP_A_FAMILY.rawValue), prefix.family.socketFamily)
                        entry.attribute(Int(WGALLOWEDIP_A_IPADDR.rawValue), bytes: prefix.address.bytes)
                        entry.attribute(Int(WGALLOWEDIP_A_CIDR_MASK.rawValue), UInt8(prefix.length))
                    }
                }
            }
        }
    }
}

extension WireGuardDevice {
    /// Reads the answers to `WireGuardMessage.get`; a device with many peers is told in several.
    public init(_ replies: [NetlinkReply]) {
        var publicKey: WireGuardKey?
        var listenPort: UInt16 = 0
        var peers: [WireGuardKey: WireGuardPeer] = [:]
        for reply in replies {
            for attribute in reply.attributes(after: GenericNetlink.headerSize) {
                switch attribute.type {
                case Int(WGDEVICE_A_PUBLIC_KEY.rawValue): publicKey = WireGuardKey(bytes: attribute.payload)
                case Int(WGDEVICE_A_LISTEN_PORT.rawValue): listenPort = attribute.integer()
                case Int(WGDEVICE_A_PEERS.rawValue):
                    for peer in attribute.attributes.compactMap({ WireGuardPeer($0.attributes) }) {
                        // A peer whose addresses fill a message goes on in the next one.
                        let earlier = peers[peer.publicKey]
                        peers[peer.publicKey] = WireGuardPeer(
                            publicKey: peer.publicKey, endpoint: earlier?.endpoint ?? peer.endpoint,
                            allowed: peer.allowed.union(earlier?.allowed ?? []))
                    }
                default: break
                }
            }
        }
        self.publicKey = publicKey.flatMap { $0.isZero ? nil : $0 }
        self.listenPort = listenPort
        self.peers = Set(peers.values)
    }
}

extension WireGuardPeer {
    init?(_ attributes: NetlinkAttributes) {
        guard
            let key = attributes[Int(WGPEER_A_PUBLIC_KEY.rawValue)].flatMap({ WireGuardKey(bytes: $0.payload) })
        else { return nil }
        let list = attributes[Int(WGPEER_A_ALLOWEDIPS.rawValue)]?.attributes.compactMap { entry -> IPPrefix? in
            let parts = entry.attributes
            guard let bytes = parts[Int(WGALLOWEDIP_A_IPADDR.rawValue)]?.payload,
                let address = IPAddress(bytes: bytes),
                let length = parts[Int(WGALLOWEDIP_A_CIDR_MASK.rawValue)]?.integer(as: UInt8.self),
                Int(length) <= address.family.bitWidth
            else { return nil }
            return IPPrefix(address, length: Int(length))
        }
        self.init(
            publicKey: key,
            endpoint: attributes[Int(WGPEER_A_ENDPOINT.rawValue)].flatMap {
                WireGuardEndpoint(socketAddress: $0.payload)
            },
            allowed: Set(list ?? []))
    }
}

extension WireGuardEndpoint {
    /// `struct sockaddr_in` or `sockaddr_in6`.
    var socketAddress: [UInt8] {
        var writer = NetlinkWriter()
        writer.append(address.family.socketFamily)
        writer.append(port.bigEndian)
        if address.family == .ipv6 { writer.append(UInt32(0)) }
        writer.append(bytes: address.bytes)
        // Padding of the one, the scope of the other.
        writer.append(bytes: [UInt8](repeating: 0, count: address.family == .ipv4 ? 8 : 4))
        return writer.bytes
    }

    init?(socketAddress bytes: ArraySlice<UInt8>) {
        let family: UInt16 = bytes.integer(at: 0)
        guard let known = IPFamily.allCases.first(where: { $0.socketFamily == family }),
            let address = IPAddress(bytes: bytes.dropFirst(known == .ipv4 ? 4 : 8).prefix(known.byteCount))
        else { return nil }
        self.init(address, port: UInt16(bigEndian: bytes.integer(at: 2)))
    }
}

extension IPFamily {
    fileprivate var socketFamily: UInt16 {
        self == .ipv4 ? UInt16(AF_INET) : UInt16(AF_INET6)
    }
}
