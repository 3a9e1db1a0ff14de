import Addresses
import Linux
import Netlink
import RouteNetlink
import Testing

@Suite("Rules that choose a table of routes")
struct RoutingRuleTests {
    @Test(
        "Are written as `ip rule` shows them, read back as they were written, and deleted", arguments: IPFamily.allCases
    )
    func rules(family: IPFamily) throws {
        let sandbox = try Sandbox("rules")
        defer { sandbox.remove() }
        var socket = try sandbox.open()
        let source = try #require(IPPrefix(family == .ipv4 ? "100.127.0.0/16" : "fd00:127::/48"))
        let rules = [
            RoutingRule(priority: 6900, source: source, action: .lookUp(table: 69_000), protocol: .duetTranslation),
            RoutingRule(priority: 6901, source: source, action: .unreachable, protocol: .duetTranslation),
        ]
        for rule in rules { try socket.addRule(rule) }
        #expect(throws: NetlinkError.self) { try socket.addRule(rules[0]) }
        let listing = try sandbox.ip("-\(family.rawValue)", "rule", "show")
        #expect(listing.contains("6900:\tfrom \(source) lookup 69000 proto 69"), "\(listing)")
        #expect(listing.contains("6901:\tfrom \(source) unreachable proto 69"), "\(listing)")
        try sandbox.ip("-\(family.rawValue)", "rule", "add", "from", "all", "lookup", "7", "priority", "5")
        #expect(try socket.rules(family, protocol: .duetTranslation) == rules)
        for rule in rules { try socket.deleteRule(rule) }
        #expect(try socket.rules(family, protocol: .duetTranslation).isEmpty)
        do {
            try socket.deleteRule(rules[0])
            Issue.record("a rule that is not there was deleted")
        } catch {
            #expect(error.errno == .noEntry)
        }
    }
}
