import AddressPlanning
import Addresses
import JSON
import Testing

@Suite struct ClusterPlanTests {
    private static func plan(
        _ pods: [String], services: [String] = [], four: Int = 26, podsPerNode: Int = 110,
        today: ClusterPlan.Amounts = .init(), growth: ClusterPlan.Amounts? = nil
    ) throws -> ClusterPlan {
        try ClusterPlan(
            .init(
                podPrefixes: pods.map { try #require(IPPrefix($0)) },
                servicePrefixes: services.map { try #require(IPPrefix($0)) },
                blockLengths: [.ipv4: four, .ipv6: 64], podsPerNode: podsPerNode, today: today,
                growth: growth))
    }

    private static func site() throws -> ClusterPlan {
        try plan(
            ["10.12.0.0/22", "10.77.16.0/23", "192.168.200.0/24", "2001:db8:7::/48"],
            services: ["10.96.0.0/24", "fd00:96::/112"],
            today: .init(nodes: 4, pods: 300, services: 40),
            growth: .init(nodes: 0.25, pods: 25, services: 2))
    }

    @Test func `Fragments fit as many nodes as their blocks are`() throws {
        let plan = try Self.site()
        let four = try #require(plan.families.first)
        #expect(four.fragments.map(\.blocks) == [16, 8, 4])
        #expect(four.podsPerBlock == 61)
        #expect(four.blocksPerNode == 2)
        #expect(four.fullNodes == 14)
        #expect(four.pods == 14 * 110)
        #expect(four.services == 254)
        let six = try #require(plan.families.last)
        #expect(six.blocks == 65536)
        #expect(six.fullNodes == 65536)
        #expect(six.services == 65535)
    }

    /// Columns: the nodes, pods and Services of today, what comes every day, and the day on which blocks run out.
    @Test(
        arguments: [
            (.init(nodes: 28), .init(nodes: 1), 1, "a block a node, all 28 in use"),
            (.init(nodes: 27), .init(nodes: 0.5), 4, "half a node a day"),
            (
                .init(nodes: 15, pods: 15 * 61), .init(pods: 1), 1,
                "one pod more takes a second block on each node"
            ),
            (.init(nodes: 1), .init(pods: 100), 16, "1600 pods need 15 nodes, with two blocks each"),
            (.init(), .init(pods: 100), 16, "pods need nodes, whether they are counted or not"),
            (.init(nodes: 1, pods: 1541), .init(), 0, "one pod too many for 14 nodes"),
            (.init(nodes: 1, pods: 1540), .init(), nil, "as many as fit"),
            (.init(nodes: 29), .init(), 0, "too few today"),
            (.init(nodes: 28), .init(), nil, "no growth"),
        ] as [(ClusterPlan.Amounts, ClusterPlan.Amounts, Int?, String)])
    func `The day is the first on which more is needed`(
        today: ClusterPlan.Amounts, growth: ClusterPlan.Amounts, day: Int?, remark: String
    ) throws {
        let plan = try Self.plan(
            ["10.12.0.0/22", "10.77.16.0/23", "192.168.200.0/24"], today: today, growth: growth)
        #expect(plan.firstLimit?.day == day, "\(remark)")
    }

    @Test func `What runs out first comes first`() throws {
        let plan = try Self.site()
        #expect(
            plan.limits.map(\.title) == [
                "IPv4 blocks for nodes", "IPv4 addresses for Services", "IPv6 addresses for Services",
                "IPv6 blocks for nodes",
            ])
    }

    @Test(arguments: [
        ([], [], "no prefix for pods is given"),
        (
            ["10.0.0.0/16", "10.0.4.0/24"], [],
            "the prefixes 10.0.0.0/16 and 10.0.4.0/24 for pods overlap"
        ),
        (
            ["10.0.0.0/16"], ["10.1.0.0/24", "10.1.0.0/24"],
            "the prefixes 10.1.0.0/24 and 10.1.0.0/24 for Services overlap"
        ),
        (["0.0.0.0/0"], [], "the prefix 0.0.0.0/0 for pods holds loopback, link-local or multicast addresses"),
        (
            ["fd00::/56"], ["ff00::/112"],
            "the prefix ff00::/112 for Services holds loopback, link-local or multicast addresses"
        ),
        (["fd00::/56", "10.0.0.0/27"], [], "no prefix for pods holds a block of IPv4 of /26"),
    ])
    func `What makes no plan is refused`(pods: [String], services: [String], text: String) throws {
        let error = #expect(throws: PlanError.self) { try Self.plan(pods, services: services) }
        #expect(error?.description == text)
    }

    @Test func `Blocks that overlap Services, and prefixes smaller than a block, do not count`()
        throws
    {
        let plan = try Self.plan(["10.0.0.0/22", "10.9.0.0/28"], services: ["10.0.0.0/23"], four: 24)
        #expect(plan.families[0].fragments.map(\.blocks) == [2, 0])
        #expect(plan.families[0].fullNodes == 2)
    }

    @Test func `Numbers beyond all measure stay numbers`() throws {
        let plan = try Self.plan(["2000::/3"], services: ["fd00::/8"])
        #expect(plan.families[0].blocks == 1 << 61)
        #expect(plan.json["families"]?[0]?["blocks"] == "2305843009213693952")
        #expect(plan.text.contains("2^61"))
        #expect(plan.text.contains("~2^120"))
    }

    @Test func `What does not fit today is told as needed`() throws {
        let text = try Self.plan(["10.12.0.0/22"], today: .init(nodes: 29)).text
        #expect(text.hasSuffix("IPv4 blocks for nodes: 29 needed today, 16 there\n"))
    }

    @Test func `Services are counted where they have prefixes`() throws {
        #expect(try !Self.plan(["10.0.0.0/16"]).text.contains("Services"))
        #expect(try Self.plan(["10.0.0.0/16"], services: ["10.96.0.0/24"]).text.contains("Services"))
    }

    @Test func `The text says it all`() throws {
        #expect(try Self.site().text == Golden.text)
    }

    @Test func `JSON says the same`() throws {
        #expect(try Self.site().json.text(pretty: true) == Golden.json)
    }

    @Test func `The picture shows prefixes and growth`() throws {
        let svg = try Self.site().svg
        #expect(svg == Golden.svg)
        // Without growth there is nothing to draw but the prefixes.
        #expect(!(try Self.plan(["10.0.0.0/24"]).svg.contains("polyline")))
    }
}
