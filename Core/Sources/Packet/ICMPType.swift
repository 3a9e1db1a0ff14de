/// A type of ICMP message for IPv4 (RFC 792).
@frozen
public struct ICMPv4Type: RawRepresentable, Hashable, Sendable {
    /// The number.
    public let rawValue: UInt8

    /// Makes a type of a number.
    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The answer to an echo request.
    @inlinable public static var echoReply: ICMPv4Type { ICMPv4Type(rawValue: 0) }
    /// A packet could not be delivered.
    @inlinable public static var destinationUnreachable: ICMPv4Type { ICMPv4Type(rawValue: 3) }
    /// Obsolete: send more slowly.
    @inlinable public static var sourceQuench: ICMPv4Type { ICMPv4Type(rawValue: 4) }
    /// Another router is nearer.
    @inlinable public static var redirect: ICMPv4Type { ICMPv4Type(rawValue: 5) }
    /// Asks for an echo.
    @inlinable public static var echoRequest: ICMPv4Type { ICMPv4Type(rawValue: 8) }
    /// A packet's time to live has run out.
    @inlinable public static var timeExceeded: ICMPv4Type { ICMPv4Type(rawValue: 11) }
    /// A header has an impossible field.
    @inlinable public static var parameterProblem: ICMPv4Type { ICMPv4Type(rawValue: 12) }

    /// Whether the message carries the packet that it is about.
    @inlinable
    public var isError: Bool {
        switch self {
        case .destinationUnreachable, .sourceQuench, .redirect, .timeExceeded, .parameterProblem: true
        default: false
        }
    }
}

/// A type of ICMP message for IPv6 (RFC 4443).
@frozen
public struct ICMPv6Type: RawRepresentable, Hashable, Sendable {
    /// The number.
    public let rawValue: UInt8

    /// Makes a type of a number.
    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// A packet could not be delivered.
    @inlinable public static var destinationUnreachable: ICMPv6Type { ICMPv6Type(rawValue: 1) }
    /// A packet is longer than a link's MTU.
    @inlinable public static var packetTooBig: ICMPv6Type { ICMPv6Type(rawValue: 2) }
    /// A packet's hop limit has run out.
    @inlinable public static var timeExceeded: ICMPv6Type { ICMPv6Type(rawValue: 3) }
    /// A header has an impossible field.
    @inlinable public static var parameterProblem: ICMPv6Type { ICMPv6Type(rawValue: 4) }
    /// Asks for an echo.
    @inlinable public static var echoRequest: ICMPv6Type { ICMPv6Type(rawValue: 128) }
    /// The answer to an echo request.
    @inlinable public static var echoReply: ICMPv6Type { ICMPv6Type(rawValue: 129) }

    /// Whether the message carries the packet that it is about (types below 128, RFC 4443 §2.1).
    @inlinable public var isError: Bool { rawValue < 128 }
}
