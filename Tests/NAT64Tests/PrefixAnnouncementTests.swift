import Addresses
import NAT64
import Testing

@Suite("Announcements of a prefix")
struct PrefixAnnouncementTests {
    /// Rows: the prefix, and the code of its length (RFC 8781 §4).
    static let lengths: [(String, UInt16)] = [
        ("64:ff9b::/96", 0), ("2001:db8:1:2::/64", 1), ("2001:db8:1:200::/56", 2), ("2001:db8:1::/48", 3),
        ("2001:db8:100::/40", 4), ("2001:db8::/32", 5),
    ]

    @Test("A message holds the prefix, its length, and for how long it is good", arguments: lengths)
    func bytes(text: String, code: UInt16) throws {
        let network = try #require(IPPrefix(text))
        let announcement = PrefixAnnouncement(prefix: try #require(TranslationPrefix(network)), routerLifetime: 0x1234)
        let option = IPAddress(family: .ipv6, bits: network.address.bits).bytes.prefix(12)
        // 1,800 seconds are 225 units of eight.
        let lifetime = 225 << 3 | code
        #expect(
            announcement.bytes() == [134, 0, 0, 0, 0, 0, 0x12, 0x34] + [UInt8](repeating: 0, count: 8)
                + [38, 2, UInt8(lifetime >> 8), UInt8(lifetime & 0xFF)] + option)
        #expect(
            announcement.bytes(isLast: true) == [134] + [UInt8](repeating: 0, count: 15)
                + [38, 2, 0, UInt8(code)] + option)
    }

    @Test("The first ones come soon, later ones seldom, and asking brings one forward, but not too soon")
    func schedule() {
        var schedule = AnnouncementSchedule(at: 100)
        var times: [Int] = []
        for second in 100...2000 {
            let isAsked = second == 101 || second == 1500
            let isDue = schedule.isDue(at: Double(second), isSolicited: isAsked, draw: { $0.upperBound })
            if isDue { times.append(second) }
        }
        #expect(times == [100, 103, 119, 719, 1319, 1500])
    }
}
