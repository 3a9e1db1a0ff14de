public import Addresses
import Packet

/// The choices that RFC 7915 leaves to an operator, and the translator's own addresses.
public struct TranslationOptions: Hashable, Sendable {
    /// The MTU of the link to the IPv4 side, 68 or more (RFC 791).
    public var ipv4MTU: Int {
        didSet { ipv4MTU = IPFamily.ipv4.mtu(ipv4MTU) }
    }
    /// The MTU of the link to the IPv6 side, 1280 or more (RFC 8200 §5).
    public var ipv6MTU: Int {
        didSet { ipv6MTU = IPFamily.ipv6.mtu(ipv6MTU) }
    }
    /// The longest IPv6 packet that IPv4 packets which may be fragmented become (RFC 7915 §4, 1280 or more).
    public var lowestIPv6MTU: Int {
        didSet { lowestIPv6MTU = IPFamily.ipv6.mtu(lowestIPv6MTU) }
    }
    /// Whether UDP checksums are made where the IPv4 sender left them out; otherwise those packets are dropped.
    public var makesUDPChecksums: Bool
    /// Whether the type of service becomes the traffic class and the reverse; otherwise both are zero.
    public var copiesTrafficClass: Bool
    /// The address from which ICMP errors to IPv4 hosts come; nil sends none.
    public var ipv4Address: IPv4Address?
    /// The address from which ICMP errors to IPv6 hosts come; nil sends none.
    public var ipv6Address: IPv6Address?
    /// The source of translated ICMP errors from IPv6 routers that have no IPv4 address (RFC 6791); nil drops them.
    public var routerIPv4Address: IPv4Address?
    /// The ICMP errors that may be produced in a second.
    public var repliesPerSecond: Int

    /// Makes options with the values that RFC 7915 recommends.
    public init(
        ipv4MTU: Int = 1500, ipv6MTU: Int = 1500, lowestIPv6MTU: Int = 1280, makesUDPChecksums: Bool = true,
        copiesTrafficClass: Bool = true, ipv4Address: IPv4Address? = nil, ipv6Address: IPv6Address? = nil,
        routerIPv4Address: IPv4Address? = nil, repliesPerSecond: Int = 1000
    ) {
        self.ipv4MTU = IPFamily.ipv4.mtu(ipv4MTU)
        self.ipv6MTU = IPFamily.ipv6.mtu(ipv6MTU)
        self.lowestIPv6MTU = IPFamily.ipv6.mtu(lowestIPv6MTU)
        self.makesUDPChecksums = makesUDPChecksums
        self.copiesTrafficClass = copiesTrafficClass
        self.ipv4Address = ipv4Address
        self.ipv6Address = ipv6Address
        self.routerIPv4Address = routerIPv4Address
        self.repliesPerSecond = repliesPerSecond
    }

    /// The bytes of the longest packet that a translator keeps; more than the links take, as long as that is little.
    var longestPacket: Int { max(ipv4MTU, ipv6MTU, 2048) }

    /// The same for packets to IPv4 and back at once, which no IPv4 link is in the way of.
    var hairpinning: TranslationOptions {
        var options = self
        options.ipv4MTU = ipv6MTU - IPv6Header.length + IPv4Header.minimumLength
        return options
    }

    /// The bytes that a buffer has free in front of a packet: the headers of ICMP errors grow twice.
    public static var headroom: Int { 64 }
}

extension IPFamily {
    /// The MTU next to a number that a link of the family may have.
    fileprivate func mtu(_ number: Int) -> Int { min(max(number, self == .ipv4 ? 68 : 1280), 65535) }
}

/// A moment in milliseconds of any clock that does not run backwards; the translators have no clock of their own.
@frozen
public struct Timestamp: Hashable, Comparable, Sendable {
    /// Milliseconds since the clock's beginning.
    public var milliseconds: UInt64

    /// Makes a moment.
    @inlinable
    public init(milliseconds: UInt64) { self.milliseconds = milliseconds }

    /// Orders by time.
    @inlinable
    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.milliseconds < right.milliseconds }
}

/// Lets a number of things happen in each second, and as many at once.
struct TokenBucket: Sendable {
    private let perSecond: UInt64
    /// Thousandths of tokens.
    private var level: UInt64
    private var filled: Timestamp?

    init(perSecond: Int) {
        self.perSecond = UInt64(max(perSecond, 0))
        level = self.perSecond * 1000
    }

    mutating func take(at now: Timestamp) -> Bool {
        let passed = min(now.milliseconds - min(filled?.milliseconds ?? now.milliseconds, now.milliseconds), 1000)
        level = min(level + passed * perSecond, perSecond * 1000)
        filled = now
        guard level >= 1000 else { return false }
        level -= 1000
        return true
    }
}
