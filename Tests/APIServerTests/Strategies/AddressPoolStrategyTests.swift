import APIServer
import JSON
import KubernetesAPI
import Testing

@Suite struct AddressPoolStrategyTests {
    private static func pool(_ prefixes: [String], purpose: String = "Pods", more: String = "") -> String {
        let entries = prefixes.map { #"{"cidr":"\#($0)"}"# }.joined(separator: ",")
        return #"{"spec":{"purpose":"\#(purpose)","prefixes":[\#(entries)]\#(more)}}"#
    }

    @Test func `What is left out has defaults`() throws {
        let harness = try StrategyHarness(.addressPools)
        let both = try harness.created(Self.pool(["10.12.0.0/22", "2001:db8:7::/48"]))
        #expect(both.at("spec", "blockSize") == ["ipv4": 24, "ipv6": 64])
        #expect(both.at("spec", "prefixes")?[0]?["state"] == "Active")
        let one = try harness.created(Self.pool(["10.12.0.0/22"], more: #","blockSize":{"ipv4":26}"#))
        #expect(one.at("spec", "blockSize") == ["ipv4": 26])
        let services = try harness.created(Self.pool(["10.50.0.0/16"], purpose: "Services"))
        #expect(services.at("spec", "blockSize") == nil)
    }

    @Test(arguments: [
        (pool([]), ["spec.prefixes: Required value: at least one prefix required"]),
        (
            pool(["10.12.0.0/22"], purpose: "Fun"),
            [
                #"spec.purpose: Unsupported value: "Fun": supported values: "Pods", "Services", "LoadBalancers""#
            ]
        ),
        (
            pool(["10.12.0.0/22", "10.12.1.0/24"]),
            [#"spec.prefixes[1].cidr: Invalid value: "10.12.1.0/24": overlaps 10.12.0.0/22 of the same pool"#]
        ),
        (
            pool(["10.12.0.1/22"]),
            [
                #"spec.prefixes[0].cidr: Invalid value: "10.12.0.1/22": must not have bits set beyond the prefix length"#
            ]
        ),
        (
            pool(["2001:DB8::/48"]),
            [
                #"spec.prefixes[0].cidr: Invalid value: "2001:DB8::/48": must be in canonical form ("2001:db8::/48")"#
            ]
        ),
        (
            pool(["fe80::/48"]),
            [
                #"spec.prefixes[0].cidr: Invalid value: "fe80::/48": must not hold loopback, link-local or multicast addresses"#
            ]
        ),
        (
            pool(["192.168.200.0/25"]),
            [
                "spec.blockSize.ipv4: Invalid value: 24: must be between 25, the length of the smallest prefix, and 30"
            ]
        ),
        (
            pool(["10.50.0.0/16"], purpose: "Services", more: #","blockSize":{"ipv4":26}"#),
            ["spec.blockSize: Forbidden: only pools of the purpose Pods are handed out in blocks"]
        ),
        (
            pool(["10.12.0.0/22"], more: #","nodeSelector":{"nodeSelectorTerms":[]}"#),
            ["spec.nodeSelector.nodeSelectorTerms: Required value: must have at least one node selector term"]
        ),
        (
            pool(
                ["10.12.0.0/22"],
                more: #","nodeSelector":{"nodeSelectorTerms":[{"matchExpressions":[{"key":"a","operator":"In"}]}]}"#),
            [
                "spec.nodeSelector.nodeSelectorTerms[0].matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'"
            ]
        ),
    ])
    func `What makes no pool is refused`(text: String, causes: [String]) throws {
        let harness = try StrategyHarness(.addressPools)
        #expect(harness.refusal { try harness.created(text) } == causes)
    }

    @Test func `A prefix in use is drained before it goes, and a purpose stays`() throws {
        let harness = try StrategyHarness(.addressPools)
        var pool = try harness.created(Self.pool(["10.12.0.0/22", "10.77.16.0/23"]))
        pool = try harness.updated(
            pool,
            #"{"status":{"prefixes":[{"cidr":"10.12.0.0/22","capacity":4,"allocated":1},{"cidr":"10.77.16.0/23","capacity":2,"allocated":0}]}}"#,
            subresource: "status")
        let causes = harness.refusal { try harness.updated(pool, Self.pool(["10.77.16.0/23"])) }
        #expect(
            causes == [
                "spec.prefixes: Forbidden: 10.12.0.0/22 has blocks in use: set its state to Draining and remove it once none is allocated"
            ])
        #expect(harness.refusal { try harness.updated(pool, Self.pool(["10.12.0.0/22"])) } == [])
        #expect(harness.refusal { try harness.updated(pool, Self.pool(["10.12.0.0/21"])) } == [], "a wider one")
        let other = harness.refusal { try harness.updated(pool, #"{"spec":{"purpose":"Services","blockSize":null}}"#) }
        #expect(other == [#"spec.purpose: Invalid value: "Services": field is immutable"#])
    }

    @Test func `A node's blocks are apart, and its report is well-formed`() throws {
        let harness = try StrategyHarness(.nodeNetworks)
        let network = try harness.created(#"{"spec":{"blocks":[{"cidr":"10.12.0.0/26"}]}}"#)
        #expect(network.at("spec", "blocks")?[0]?["state"] == "Active")
        let overlap = harness.refusal {
            try harness.created(#"{"spec":{"blocks":[{"cidr":"10.12.0.0/26"},{"cidr":"10.12.0.0/28"}]}}"#)
        }
        #expect(
            overlap == [
                #"spec.blocks[1].cidr: Invalid value: "10.12.0.0/28": overlaps 10.12.0.0/26 of the same node"#
            ])
        let report = #"{"status":{"blocks":[{"cidr":"10.12.0.0/26","used":-1,"capacity":61}]}}"#
        #expect(
            harness.refusal { try harness.updated(network, report, subresource: "status") } == [
                "status.blocks[0].used: Invalid value: -1: must be greater than or equal to 0"
            ])
    }
}
