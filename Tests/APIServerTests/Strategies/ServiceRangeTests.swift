import APIServer
import Addresses
import JSON
import KubernetesAPI
import Testing

/// ServiceCIDR and IPAddress objects (KEP-1880).
@Suite struct ServiceRangeTests {
    private static let notDual =
        "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"
    private static let noPrefix = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"

    @Test(
        arguments: [
            (#"[]"#, ["spec.cidrs: Required value: at least one CIDR required"]),
            (#"["10.0.0.0/24"]"#, []),
            (#"["2001:db8::/64"]"#, []),
            (#"["10.0.0.0/24","2001:db8::/64"]"#, []),
            (#"["2001:db8::/64","10.0.0.0/24"]"#, []),
            (
                #"["10.0.0.0/24","10.0.1.0/24"]"#,
                [#"spec.cidrs: Invalid value: {"CIDRs":["10.0.0.0/24","10.0.1.0/24"]}: \#(notDual)"#]
            ),
            (
                #"["10.0.0.0/24","x"]"#,
                [#"spec.cidrs: Invalid value: {"CIDRs":["10.0.0.0/24","x"]}: \#(notDual)"#]
            ),
            (
                #"["10.0.0.0/24","2001:db8::/64","10.0.1.0/24"]"#,
                [
                    #"spec.cidrs: Invalid value: {"CIDRs":["10.0.0.0/24","2001:db8::/64","10.0.1.0/24"]}: may only hold up to 2 values"#
                ]
            ),
            (#"["10.0.0.0"]"#, [#"spec.cidrs[0]: Invalid value: "10.0.0.0": \#(noPrefix)"#]),
            (#"["10.0.0.0/33"]"#, [#"spec.cidrs[0]: Invalid value: "10.0.0.0/33": \#(noPrefix)"#]),
            (
                #"["10.0.0.1/24"]"#,
                [#"spec.cidrs[0]: Invalid value: "10.0.0.1/24": must not have bits set beyond the prefix length"#]
            ),
            (
                #"["010.0.0.0/24"]"#, [#"spec.cidrs[0]: Invalid value: "010.0.0.0/24": must not have leading 0s"#]
            ),
            (
                #"["2001:DB8:0::/64"]"#,
                [#"spec.cidrs[0]: Invalid value: "2001:DB8:0::/64": must be in canonical form ("2001:db8::/64")"#]
            ),
        ] as [(String, [String])])
    func `ranges are checked`(ranges: String, refusals: [String]) throws {
        let harness = try StrategyHarness(.serviceCIDRs)
        #expect(harness.refusal { try harness.created(#"{"spec":{"cidrs":\#(ranges)}}"#) } == refusals)
    }

    @Test(
        arguments: [
            (#"["10.0.0.0/24"]"#, #"["10.0.0.0/24"]"#, true),
            (#"["10.0.0.0/24"]"#, #"["10.0.0.0/24","2001:db8::/64"]"#, true),
            (#"["10.0.0.0/24"]"#, #"["10.0.0.0/23"]"#, false),
            (#"["10.0.0.0/24"]"#, #"["2001:db8::/64","10.0.0.0/24"]"#, false),
            (#"["10.0.0.0/24"]"#, #"[]"#, false),
            (#"["10.0.0.0/24","2001:db8::/64"]"#, #"["10.0.0.0/24"]"#, false),
            (#"["10.0.0.0/24","2001:db8::/64"]"#, #"["2001:db8::/64","10.0.0.0/24"]"#, false),
        ])
    func `ranges change only by gaining the second family`(old: String, new: String, isAllowed: Bool) throws {
        let harness = try StrategyHarness(.serviceCIDRs)
        let object = try harness.created(#"{"spec":{"cidrs":\#(old)}}"#)
        let refusals = harness.refusal { try harness.updated(object, #"{"spec":{"cidrs":\#(new)}}"#) }
        #expect(refusals == (isAllowed ? [] : ["spec.cidrs: Invalid value: \(new): field is immutable"]))
    }

    @Test func `a new range is ready and protected`() throws {
        let harness = try StrategyHarness(.serviceCIDRs)
        let object = try harness.created(#"{"spec":{"cidrs":["10.0.0.0/24"]},"status":{"conditions":[]}}"#)
        #expect(object.at("metadata", "finalizers") == ["networking.k8s.io/service-cidr-finalizer"])
        let condition = object.at("status", "conditions")?[0]
        #expect(condition?["type"] == "Ready")
        #expect(condition?["status"] == "True")
        #expect(condition?["message"] == "Kubernetes Service CIDR is ready")
    }

    @Test(
        arguments: [
            ("10.0.0.1", #"{"resource":"services","name":"a","namespace":"b"}"#, []),
            ("2001:db8::1", #"{"group":"gateway.networking.k8s.io","resource":"gateways","name":"a"}"#, []),
            (
                "2001:DB8::1", #"{"resource":"services","name":"a"}"#,
                [#"metadata.name: Invalid value: "2001:DB8::1": must be in canonical form ("2001:db8::1")"#]
            ),
            (
                "010.0.0.1", #"{"resource":"services","name":"a"}"#,
                [#"metadata.name: Invalid value: "010.0.0.1": must be in canonical form ("10.0.0.1")"#]
            ),
            (
                "a", #"{"resource":"services","name":"a"}"#,
                [
                    #"metadata.name: Invalid value: "a": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"#
                ]
            ),
            ("10.0.0.1", "null", ["spec.parentRef: Required value"]),
            (
                "10.0.0.1", "{}",
                ["spec.parentRef.resource: Required value", "spec.parentRef.name: Required value"]
            ),
            (
                "10.0.0.1", #"{"resource":"a/b","name":"..","namespace":"c%d"}"#,
                [
                    #"spec.parentRef.resource: Invalid value: "a/b": may not contain '/'"#,
                    #"spec.parentRef.name: Invalid value: "..": may not be '..'"#,
                    #"spec.parentRef.namespace: Invalid value: "c%d": may not contain '%'"#,
                ]
            ),
        ] as [(String, String, [String])])
    func `addresses are checked`(name: String, parent: String, refusals: [String]) throws {
        let harness = try StrategyHarness(.ipAddresses)
        #expect(
            harness.refusal {
                try harness.created(#"{"metadata":{"name":"\#(name)"},"spec":{"parentRef":\#(parent)}}"#)
            } == refusals)
    }

    @Test func `the parent of an address stays`() throws {
        let harness = try StrategyHarness(.ipAddresses)
        let object = try harness.created(
            #"{"metadata":{"name":"10.0.0.1"},"spec":{"parentRef":{"resource":"services","name":"a"}}}"#)
        #expect(
            harness.refusal { try harness.updated(object, #"{"spec":{"parentRef":{"name":"b"}}}"#) }
                == [
                    #"spec.parentRef: Invalid value: {"resource":"services","name":"b"}: field is immutable"#
                ])
    }

    /// Columns: the ranges that are deleted, those that stay, an address that is held, whether the deletion waits.
    @Test(
        arguments: [
            ("10.0.0.0/24", "", "10.0.0.1", true),
            ("10.0.0.0/24", "", "10.0.1.1", false),
            ("10.0.0.0/24", "10.0.0.0/16", "10.0.0.1", false),
            ("10.0.0.0/24", "10.0.0.0/24", "10.0.0.1", false),
            ("10.0.0.0/16", "10.0.0.0/24", "10.0.0.1", false),
            ("10.0.0.0/16", "10.0.0.0/24", "10.0.1.1", true),
            ("10.0.0.0/24 2001:db8::/64", "10.0.0.0/16", "2001:db8::1", true),
            ("10.0.0.0/24 2001:db8::/64", "10.0.0.0/16", "10.0.0.1", false),
            ("10.0.0.0/24 2001:db8::/64", "2001:db8::/64 10.0.0.0/24", "2001:db8::1", false),
        ])
    func `a range stays while an address depends on it`(
        deleted: String, remaining: String, held: String, waits: Bool
    ) throws {
        func prefixes(_ text: String) throws -> [IPPrefix] {
            try text.split(separator: " ").map { try #require(IPPrefix(String($0))) }
        }
        let deletion = ServiceCIDRDeletion(
            remaining: ["other": try prefixes(remaining)], held: [try #require(IPAddress(held))])
        #expect(deletion.isBlocked("this", ranges: try prefixes(deleted)) == waits)
    }
}
