public import Addresses
internal import CLinux
internal import Netlink

/// One direction of a connection.
public struct ConntrackTuple: Hashable, Sendable {
    /// Who sends.
    public let source: IPAddress
    /// Who receives.
    public let destination: IPAddress
    /// The transport protocol's number.
    public let transportProtocol: UInt8
    /// The sender's port; zero for protocols without ports.
    public let sourcePort: UInt16
    /// The receiver's port; zero for protocols without ports.
    public let destinationPort: UInt16

    /// Describes a direction.
    public init(
        source: IPAddress, destination: IPAddress, transportProtocol: UInt8, sourcePort: UInt16 = 0,
        destinationPort: UInt16 = 0
    ) {
        self.source = source
        self.destination = destination
        self.transportProtocol = transportProtocol
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
    }

    init?(_ attributes: NetlinkAttributes) {
        guard let address = attributes[Int(CTA_TUPLE_IP.rawValue)]?.attributes,
            let ports = attributes[Int(CTA_TUPLE_PROTO.rawValue)]?.attributes
        else { return nil }
        // The attribute says the family; the length of its value does too.
        let source = address[Int(CTA_IP_V4_SRC.rawValue)] ?? address[Int(CTA_IP_V6_SRC.rawValue)]
        let destination = address[Int(CTA_IP_V4_DST.rawValue)] ?? address[Int(CTA_IP_V6_DST.rawValue)]
        guard let source = (source?.payload).flatMap({ IPAddress(bytes: $0) }),
            let destination = (destination?.payload).flatMap({ IPAddress(bytes: $0) })
        else { return nil }
        self.init(
            source: source, destination: destination,
            transportProtocol: ports[Int(CTA_PROTO_NUM.rawValue)]?.integer() ?? 0,
            sourcePort: ports[Int(CTA_PROTO_SRC_PORT.rawValue)]?.bigEndian() ?? 0,
            destinationPort: ports[Int(CTA_PROTO_DST_PORT.rawValue)]?.bigEndian() ?? 0)
    }
}

/// A connection that the kernel tracks.
public struct ConntrackEntry: Hashable, Sendable {
    /// As the first packet was sent.
    public let original: ConntrackTuple
    /// As answers are sent; it differs from the original reversed where an address is translated.
    public let reply: ConntrackTuple
    /// The connection's mark.
    public let mark: UInt32
    /// What tells it from a later connection of the same addresses and ports.
    let identifier: UInt32?
    /// The original direction as the kernel wrote it: protocols other than TCP and UDP have further fields.
    let originalBytes: [UInt8]
    /// The zone, where it is not the default one.
    let zone: UInt16?

    static let headerSize = 4

    init?(_ reply: NetlinkReply) {
        let attributes = reply.attributes(after: Self.headerSize)
        guard let first = attributes[Int(CTA_TUPLE_ORIG.rawValue)], let original = ConntrackTuple(first.attributes),
            let answer = (attributes[Int(CTA_TUPLE_REPLY.rawValue)]?.attributes).flatMap(ConntrackTuple.init)
        else { return nil }
        self.original = original
        self.reply = answer
        mark = attributes[Int(CTA_MARK.rawValue)]?.bigEndian() ?? 0
        identifier = attributes[Int(CTA_ID.rawValue)]?.bigEndian()
        zone = attributes[Int(CTA_ZONE.rawValue)]?.bigEndian()
        originalBytes = Array(first.payload)
    }
}

extension ConntrackEntry: CustomStringConvertible {
    /// Both directions, the way conntrack(8) abbreviates them.
    public var description: String {
        "protocol \(original.transportProtocol) \(Self.text(original)), answers \(Self.text(reply))"
    }

    private static func text(_ tuple: ConntrackTuple) -> String {
        "\(tuple.source.uriHost):\(tuple.sourcePort) to \(tuple.destination.uriHost):\(tuple.destinationPort)"
    }
}
