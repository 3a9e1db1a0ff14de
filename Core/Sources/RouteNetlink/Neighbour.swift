public import Addresses
internal import CLinux
internal import Glibc
internal import Netlink

/// Which station has an address on a link: an entry without end of the kernel's neighbour table.
public struct Neighbour: Sendable, Hashable {
    /// The link.
    public let interface: Int32
    /// The address.
    public let address: IPAddress
    /// The station.
    public let mac: MACAddress

    /// Describes an entry.
    public init(interface: Int32, address: IPAddress, mac: MACAddress) {
        self.interface = interface
        self.address = address
        self.mac = mac
    }
}

/// Behind which other end of a tunnel link a station is: an entry without end of the link's forwarding table.
public struct ForwardingEntry: Sendable, Hashable {
    /// The tunnel link.
    public let interface: Int32
    /// The station.
    public let mac: MACAddress
    /// The other end's address in the underlay.
    public let remote: IPAddress

    /// Describes an entry.
    public init(interface: Int32, mac: MACAddress, remote: IPAddress) {
        self.interface = interface
        self.mac = mac
        self.remote = remote
    }
}

extension Neighbour {
    /// Reads an RTM_NEWNEIGH or RTM_DELNEIGH message of a lasting entry; `nil` for others.
    init?(_ reply: NetlinkReply) {
        guard NeighbourHeader.isPermanent(reply),
            reply.payload.integer(at: 0, as: UInt8.self) != UInt8(AF_BRIDGE)
        else { return nil }
        let attributes = reply.attributes(after: NeighbourHeader.size)
        guard let address = attributes[Int(NDA_DST)].flatMap({ IPAddress(bytes: $0.payload) }),
            let mac = attributes[Int(NDA_LLADDR)].flatMap({ MACAddress(bytes: $0.payload) })
        else { return nil }
        self.init(interface: NeighbourHeader.interface(reply), address: address, mac: mac)
    }

    func encode() -> NetlinkWriter {
        var writer = NeighbourHeader.encode(family: address.family.socketFamily, interface: interface, flags: 0)
        writer.attribute(Int(NDA_DST), bytes: address.bytes)
        writer.attribute(Int(NDA_LLADDR), bytes: mac.bytes)
        return writer
    }
}

extension ForwardingEntry {
    /// Reads an RTM_NEWNEIGH or RTM_DELNEIGH message of a tunnel link's lasting entry; `nil` for others.
    init?(_ reply: NetlinkReply) {
        guard NeighbourHeader.isPermanent(reply),
            reply.payload.integer(at: 0, as: UInt8.self) == UInt8(AF_BRIDGE)
        else { return nil }
        let attributes = reply.attributes(after: NeighbourHeader.size)
        guard let remote = attributes[Int(NDA_DST)].flatMap({ IPAddress(bytes: $0.payload) }),
            let mac = attributes[Int(NDA_LLADDR)].flatMap({ MACAddress(bytes: $0.payload) })
        else { return nil }
        self.init(interface: NeighbourHeader.interface(reply), mac: mac, remote: remote)
    }

    func encode() -> NetlinkWriter {
        var writer = NeighbourHeader.encode(
            family: UInt8(AF_BRIDGE), interface: interface, flags: UInt8(NTF_SELF))
        writer.attribute(Int(NDA_DST), bytes: remote.bytes)
        writer.attribute(Int(NDA_LLADDR), bytes: mac.bytes)
        return writer
    }
}

/// `struct ndmsg` of linux/neighbour.h.
enum NeighbourHeader {
    static let size = 12

    static func encode(family: UInt8, interface: Int32 = 0, flags: UInt8 = 0, state: Int32 = NUD_PERMANENT)
        -> NetlinkWriter
    {
        var writer = NetlinkWriter()
        writer.append(family)
        writer.append(UInt8(0))
        writer.append(UInt16(0))
        writer.append(interface)
        writer.append(UInt16(state))
        writer.append(flags)
        writer.append(UInt8(0))
        return writer
    }

    static func interface(_ reply: NetlinkReply) -> Int32 {
        reply.payload.integer(at: 4)
    }

    static func isPermanent(_ reply: NetlinkReply) -> Bool {
        Int32(reply.payload.integer(at: 8, as: UInt16.self)) & NUD_PERMANENT != 0
    }
}
