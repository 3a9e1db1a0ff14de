public import Addresses
internal import CLinux

/// A register of four bytes; longer values take the following ones too.
public struct Register: Hashable, Sendable {
    /// The number, from 0 to 15.
    public let index: UInt32

    /// The register of a number.
    ///
    /// - Precondition: `index` is less than 16.
    public init(_ index: UInt32) {
        precondition(index < 16, "nftables has 16 registers of four bytes")
        self.index = index
    }
}

extension Register {
    /// The number on the wire, in the form in which the kernel lists rules: one that begins a register of 16 bytes has
    /// that one's (net/netfilter/nf_tables_api.c, `nft_dump_register`).
    var number: UInt32 {
        index & 3 == 0 ? NFT_REG_1.rawValue + index / 4 : NFT_REG32_00.rawValue + index
    }
}

/// One step of a rule (linux/netfilter/nf_tables.h): registers in, registers or a verdict out.
public enum Expression: Hashable, Sendable {
    /// Which header of a packet.
    public enum Header: UInt32, Sendable, Hashable {
        /// The link layer's.
        case link = 0
        /// The network layer's.
        case network = 1
        /// The transport layer's.
        case transport = 2
    }

    /// What is known of a packet beside its bytes.
    public enum Meta: Sendable, Hashable {
        /// The network protocol, one byte, for tables of several families.
        case networkProtocol
        /// The transport protocol, one byte.
        case transportProtocol
        /// The mark.
        case mark
        /// The index of the link that it came in on.
        case inputInterface
        /// The index of the link that it goes out on.
        case outputInterface
        /// The name of the link that it came in on, 16 bytes.
        case inputInterfaceName
        /// The name of the link that it goes out on, 16 bytes.
        case outputInterfaceName
    }

    /// What is known of a packet's connection.
    public enum Connection: Sendable, Hashable {
        /// One bit: see `ConnectionState`.
        case state
        /// The mark.
        case mark
        /// Zero for packets of the direction that began, one for answers; one byte.
        case direction
        /// Bits such as "its destination is translated".
        case status
        /// The source address of a direction.
        case source(Direction, IPFamily)
        /// The destination address of a direction.
        case destination(Direction, IPFamily)
        /// The source port of a direction.
        case sourcePort(Direction)
        /// The destination port of a direction.
        case destinationPort(Direction)
    }

    /// A direction of a connection.
    public enum Direction: UInt8, Sendable, Hashable {
        /// The one that began.
        case original = 0
        /// The answers.
        case reply = 1
    }

    /// How two values compare.
    public enum Comparison: UInt32, Sendable, Hashable {
        /// Equal.
        case equal = 0
        /// Different.
        case notEqual = 1
        /// Less; as bytes in network order.
        case less = 2
        /// Less or equal.
        case lessOrEqual = 3
        /// Greater.
        case greater = 4
        /// Greater or equal.
        case greaterOrEqual = 5
    }

    /// What the routing table is asked.
    public enum RouteLookup: Sendable, Hashable {
        /// The type of the packet's destination address; a number, see `AddressKind`.
        case destinationKind
        /// The type of the packet's source address.
        case sourceKind
        /// The index of the link that leads to the source, of those that the packet came in on; zero when none.
        case reversePath
    }

    /// What a sender is told.
    public enum Rejection: Sendable, Hashable {
        /// A TCP reset.
        case tcpReset
        /// An ICMP error with a code of the table's family.
        case icmp(code: UInt8)
        /// An ICMP error with a code that suits either family.
        case icmpAny(AnyFamilyCode)
    }

    /// Codes of ICMP errors that exist in both families.
    public enum AnyFamilyCode: UInt8, Sendable, Hashable {
        /// No route.
        case noRoute = 0
        /// Nobody listens on the port.
        case portUnreachable = 1
        /// The host is unreachable.
        case hostUnreachable = 2
        /// An administrator forbids it.
        case prohibited = 3
    }

    /// What a rule does to a set.
    public enum SetChange: UInt32, Sendable, Hashable {
        /// Add an element unless it is there.
        case add = 0
        /// Add an element, or start its time again.
        case update = 1
        /// Delete an element.
        case delete = 2
    }

    /// Which address of a packet is translated.
    public enum Translation: UInt32, Sendable, Hashable {
        /// The source.
        case source = 0
        /// The destination.
        case destination = 1
    }

    /// Loads bytes of a header.
    case payload(Header, offset: UInt32, length: UInt32, Register)
    /// Writes what registers hold into a header, and updates the checksum of that header at `checksum`, if it has one, and
    /// that of the transport if the pseudo-header has the bytes.
    case setPayload(
        Header, offset: UInt32, length: UInt32, Register, checksum: UInt32? = nil, isInPseudoHeader: Bool = false)
    /// Loads what is known of the packet.
    case meta(Meta, Register)
    /// Sets the packet's mark.
    case setMark(Register)
    /// Loads what is known of the connection.
    case connection(Connection, Register)
    /// Sets the connection's mark.
    case setConnectionMark(Register)
    /// Goes on if the register compares so with the bytes.
    case compare(Register, Comparison, [UInt8])
    /// Puts `(source & mask) ^ xor` into a register.
    case bitwise(Register, mask: [UInt8], xor: [UInt8], Register)
    /// Puts bytes into a register.
    case immediate([UInt8], Register)
    /// Decides.
    case verdict(Verdict)
    /// Goes on if the key in the registers is in the set, or is not when `inverted`.
    case contains(set: String, Register, inverted: Bool = false)
    /// Puts the value that a map has for the key into registers; goes on if there is one.
    case lookup(map: String, Register, into: Register)
    /// Decides what a verdict map has for the key; goes on if it has nothing.
    case verdictMap(String, Register)
    /// Asks the routing table.
    case fib(RouteLookup, Register)
    /// Translates an address, and a port if one is given, to what registers hold.
    case nat(Translation, IPFamily, address: Register, port: Register? = nil)
    /// Translates the source to the address of the link that the packet leaves on.
    case masquerade(fullyRandom: Bool = false)
    /// Translates the destination to this host, and the port to what a register holds.
    case redirect(port: Register? = nil)
    /// Drops the packet and tells the sender.
    case reject(Rejection)
    /// Draws a number below `modulus`, and adds `offset`.
    case random(modulus: UInt32, offset: UInt32 = 0, Register)
    /// Counts from zero to below `modulus` and again.
    case counting(modulus: UInt32, offset: UInt32 = 0, Register)
    /// Hashes registers to a number below `modulus`.
    case hash(Register, length: UInt32, modulus: UInt32, seed: UInt32, Register)
    /// Changes a set by the key in the registers, with a time in milliseconds and a value if these are given.
    case change(SetChange, set: String, key: Register, data: Register? = nil, timeout: UInt64? = nil)
    /// Counts packets and bytes.
    case counter
    /// Goes on at most `rate` times in `seconds`, after a first `burst`; otherwise when `over`.
    case limit(rate: UInt64, seconds: UInt64, burst: UInt32, over: Bool = false)
    /// Keeps the packet out of connection tracking.
    case noTrack
    /// Loads one byte about the socket that the packet is for: 1 if it is bound to any address, 0 if to this one; goes on
    /// if there is one, which a connection that has not been accepted or has ended is not (Linux 5.9).
    ///
    /// Where the host sends, it is the sender's socket.
    case socketIsWildcard(Register)
    /// Goes on if an extension of xtables matches, as iptables writes what nftables has no expression for.
    case match(extension: String, revision: UInt32, data: [UInt8])
}

/// Bits of `Expression.Connection.state`, a 32-bit number in the machine's byte order.
public enum ConnectionState {
    /// Belongs to no connection and cannot begin one.
    public static let invalid: UInt32 = 1
    /// Belongs to a connection that saw both directions.
    public static let established: UInt32 = 2
    /// Begins a connection that belongs to another.
    public static let related: UInt32 = 4
    /// Begins a connection.
    public static let new: UInt32 = 8
    /// Is kept out of connection tracking.
    public static let untracked: UInt32 = 64
}

/// Numbers of `Expression.RouteLookup.destinationKind`, 32-bit in the machine's byte order (linux/rtnetlink.h).
public enum AddressKind {
    /// Of another host.
    public static let unicast: UInt32 = 1
    /// Of this host.
    public static let local: UInt32 = 2
    /// For all on a link.
    public static let broadcast: UInt32 = 3
    /// For a group.
    public static let multicast: UInt32 = 5
}

extension UInt32 {
    /// The bytes of the number in the machine's byte order, as marks and numbers stand in registers.
    public var registerBytes: [UInt8] {
        unsafe withUnsafeBytes(of: self) { unsafe Array($0) }
    }
}
