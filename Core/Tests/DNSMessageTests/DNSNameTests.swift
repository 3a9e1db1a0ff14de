import DNSMessage
import Testing

@Suite struct `Names` {
    @Test func `keep their case but compare without it`() throws {
        let upper = try #require(DNSName("Web.Default.SVC.cluster.local."))
        let lower = try #require(DNSName("web.default.svc.cluster.local"))
        #expect(upper == lower)
        #expect(Set([upper, lower]).count == 1)
        #expect(upper.description == "Web.Default.SVC.cluster.local.")
        #expect(upper.labels == ["Web", "Default", "SVC", "cluster", "local"])
        #expect(upper.labelCount == 5)
        #expect(upper.parent == DNSName("default.svc.cluster.local"))
        #expect(upper.parent?.prepending("web") == upper)
        #expect(DNSName("@a") != DNSName("`a"))
    }

    @Test func `know their zone`() throws {
        let zone = try #require(DNSName("cluster.local"))
        #expect(DNSName("a.b.CLUSTER.local")?.isInside(zone) == true)
        #expect(zone.isInside(zone))
        #expect(zone.isInside(.root))
        #expect(DNSName("acluster.local")?.isInside(zone) == false)
        #expect(DNSName("local")?.isInside(zone) == false)
        #expect(DNSName.root.isInside(zone) == false)
    }

    @Test func `have limits`() {
        let label = String(repeating: "a", count: 63)
        #expect(DNSName(label) != nil)
        #expect(DNSName(label + "a") == nil)
        #expect(DNSName("a..b") == nil)
        #expect(DNSName(".a") == nil)
        #expect(DNSName(".")?.description == ".")
        let longest = [label, label, label, String(repeating: "b", count: 61)].joined(separator: ".")
        #expect(DNSName(longest)?.wire.count == 255)
        #expect(DNSName(longest + "b") == nil)
        #expect(DNSName(longest)?.prepending("x") == nil)
    }
}
