package import Addresses

/// A Router Advertisement (RFC 4861 §4.2) that tells hosts of a link what IPv4 addresses are embedded in (PREF64, RFC 8781).
package struct PrefixAnnouncement: Hashable, Sendable {
    /// What IPv4 addresses are embedded in.
    package let prefix: TranslationPrefix
    /// For how many seconds hosts may send by this machine what they have no better route for; 0 for not at all.
    package let routerLifetime: UInt16

    package init(prefix: TranslationPrefix, routerLifetime: UInt16) {
        self.prefix = prefix
        self.routerLifetime = routerLifetime
    }

    /// How long hosts may believe a prefix, in units of eight seconds: three times the longest interval of announcements.
    private static let scaledLifetime = UInt16(3 * AnnouncementSchedule.longestInterval / 8)
    private static let type: UInt8 = 134
    private static let option: UInt8 = 38
    /// Lengths of prefixes by their code.
    private static let lengths = [96, 64, 56, 48, 40, 32]

    /// The message, with a checksum that is left to the kernel.
    ///
    /// - Parameter isLast: whether hosts are to forget what they were told.
    package func bytes(isLast: Bool = false) -> [UInt8] {
        let router = isLast ? 0 : routerLifetime
        // Neither hop limit nor timers: what other routers say of them stays true.
        var bytes: [UInt8] = [Self.type, 0, 0, 0, 0, 0, UInt8(router >> 8), UInt8(router & 0xFF)]
        bytes += [UInt8](repeating: 0, count: 8)
        let code = UInt16(Self.lengths.firstIndex(of: prefix.length) ?? 0)
        let lifetime = (isLast ? 0 : Self.scaledLifetime) << 3 | code
        bytes += [Self.option, 2, UInt8(lifetime >> 8), UInt8(lifetime & 0xFF)]
        return bytes + IPAddress.v6(prefix.address).bytes.prefix(12)
    }
}

/// When announcements are sent (RFC 4861 §6.2.4 and §6.2.6), in seconds of a clock that never goes back.
package struct AnnouncementSchedule: Sendable {
    static let longestInterval = 600.0
    private static let shortestInterval = 200.0
    /// The first ones come closer together, for hosts that were there before.
    private static let initialInterval = 16.0
    private static let initialCount = 3
    /// The least time between two of them, whoever asks.
    private static let pause = 3.0

    private var next: Double
    private var last = -Double.infinity
    private var count = 0

    /// Begins at once.
    package init(at now: Double) { next = now }

    /// Whether one is to be sent now, which then counts as sent.
    ///
    /// - Parameters:
    ///   - isSolicited: whether a host has asked since the last call.
    ///   - draw: a random number in a range.
    package mutating func isDue(
        at now: Double, isSolicited: Bool, draw: (ClosedRange<Double>) -> Double = { .random(in: $0) }
    ) -> Bool {
        if isSolicited { next = min(next, max(now, last + Self.pause)) }
        guard now >= next else { return false }
        last = now
        count += 1
        let interval = draw(Self.shortestInterval...Self.longestInterval)
        next = now + (count < Self.initialCount ? min(interval, Self.initialInterval) : interval)
        return true
    }
}
