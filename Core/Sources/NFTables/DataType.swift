public import Addresses
internal import CLinux

/// The type of a field of a key or value; the numbers are those by which nft shows sets.
public struct DataType: Hashable, Sendable {
    /// The number that nft knows the type by (nftables, include/datatype.h).
    public let id: UInt32
    /// The size in bytes.
    public let length: Int
    /// The name that nft uses.
    public let name: String

    private init(_ id: UInt32, _ length: Int, _ name: String) {
        self.id = id
        self.length = length
        self.name = name
    }

    /// An address of a family.
    public static func address(_ family: IPFamily) -> DataType {
        family == .ipv4 ? DataType(7, 4, "ipv4_addr") : DataType(8, 16, "ipv6_addr")
    }

    /// A transport protocol number.
    public static let transportProtocol = DataType(12, 1, "inet_proto")
    /// A port in network byte order.
    public static let port = DataType(13, 2, "inet_service")
    /// A 32-bit number in the machine's byte order, such as a packet mark or a drawn number.
    public static let mark = DataType(19, 4, "mark")
    /// The index of a link.
    public static let interfaceIndex = DataType(20, 4, "iface_index")
    /// The name of a link.
    public static let interfaceName = DataType(41, 16, "ifname")

    static let all: [DataType] = [
        .address(.ipv4), .address(.ipv6), .transportProtocol, .port, .mark, .interfaceIndex, .interfaceName,
    ]

    /// The number for several fields one after the other: six bits each, first field highest.
    static func concatenated(_ types: [DataType]) -> UInt32 {
        types.reduce(0) { $0 << 6 | $1.id }
    }

    /// The fields that such a number stands for; `nil` when one is unknown.
    static func split(_ id: UInt32) -> [DataType]? {
        var types: [DataType] = []
        var rest = id
        while rest != 0 {
            guard let type = all.first(where: { $0.id == rest & 0x3f }) else { return nil }
            types.insert(type, at: 0)
            rest >>= 6
        }
        return types
    }

    /// The size of a field within a concatenation, where each fills whole registers of four bytes.
    var paddedLength: Int {
        (length + 3) & ~3
    }

    /// The size of a key of these fields.
    static func length(_ types: [DataType]) -> Int {
        types.count == 1 ? types[0].length : types.reduce(0) { $0 + $1.paddedLength }
    }
}
