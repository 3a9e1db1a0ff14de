import Addresses
import JSON
import KubernetesAPI
import Testing

/// The truth table of KEP-563: policy and families asked for, and what comes of them on the four kinds of clusters.
@Suite struct ServiceTruthTableTests {
    private static let clusters = [
        ["10.96.0.0/16"], ["fd00:10:96::/112"], ["10.96.0.0/16", "fd00:10:96::/112"],
        ["fd00:10:96::/112", "10.96.0.0/16"],
    ]

    /// Columns: policy, families, then the outcomes for IPv4-only, IPv6-only, IPv4 first, IPv6 first.
    ///
    /// `S`, `P` and `R` are the policies, `-` is left out; outcomes are the policy and the families, or `!` and the
    /// indices of refused families and `p` for the policy.
    static let rows = """
        - -   S4  S6  S4  S6
        - 4   S4  !0  S4  S4
        - 6   !0  S6  S6  S6
        - 46  !p  !p  !p  !p
        - 64  !p  !p  !p  !p
        S -   S4  S6  S4  S6
        S 4   S4  !0  S4  S4
        S 6   !0  S6  S6  S6
        S 46  !p  !p  !p  !p
        S 64  !p  !p  !p  !p
        P -   P4  P6  P46 P64
        P 4   P4  !0  P46 P46
        P 6   !0  P6  P64 P64
        P 46  !1  !0  P46 P46
        P 64  !0  !1  P64 P64
        R -   !p  !p  R46 R64
        R 4   !p  !p0 R46 R46
        R 6   !p0 !p  R64 R64
        R 46  !p1 !p0 R46 R46
        R 64  !p0 !p1 R64 R64
        """.split(separator: "\n").map(String.init)

    /// The same for headless Services without selector, which may have families that the cluster lacks.
    static let selectorless = """
        - -   R46 R64 R46 R64
        - 4   R46 R46 R46 R46
        - 6   R64 R64 R64 R64
        - 46  R46 R46 R46 R46
        - 64  R64 R64 R64 R64
        S -   S4  S6  S4  S6
        S 4   S4  S4  S4  S4
        S 6   S6  S6  S6  S6
        S 46  !p  !p  !p  !p
        P -   P46 P64 P46 P64
        P 6   P64 P64 P64 P64
        P 46  P46 P46 P46 P46
        R -   R46 R64 R46 R64
        R 4   R46 R46 R46 R46
        R 64  R64 R64 R64 R64
        """.split(separator: "\n").map(String.init)

    @Test(arguments: rows, ["ClusterIP", "NodePort", "LoadBalancer", "headless"])
    func `families follow the truth table`(row: String, kind: String) throws {
        try check(row) { spec in
            spec["selector"] = ["a": "b"]
            if kind == "headless" { spec["clusterIP"] = "None" } else { spec["type"] = .string(kind) }
        }
    }

    @Test(arguments: selectorless)
    func `headless Services without selector follow a table of their own`(row: String) throws {
        try check(row) { $0["clusterIP"] = "None" }
    }

    private func check(_ row: String, _ adjust: (inout JSONValue) -> Void) throws {
        let cells = row.split(separator: " ").map(String.init)
        for (ranges, expected) in zip(Self.clusters, cells.dropFirst(2)) {
            var spec: JSONValue = ["ports": [["port": 80]]]
            let policies = ["S": "SingleStack", "P": "PreferDualStack", "R": "RequireDualStack"]
            spec["ipFamilyPolicy"] = policies[cells[0]].map { .string($0) }
            if cells[1] != "-" { spec["ipFamilies"] = .array(cells[1].map { .string("IPv\($0)") }) }
            adjust(&spec)
            let harness = try StrategyHarness(.services, ranges: ranges)
            #expect(try outcome(harness, spec) == expected, "ranges \(ranges)")
        }
    }

    private func outcome(_ harness: StrategyHarness, _ spec: JSONValue) throws -> String {
        var object: JSONValue = [:]
        let refusals = harness.refusal {
            object = try harness.created(JSONValue.object(["spec": spec]).text())
            return object
        }
        guard refusals.isEmpty else {
            let marks = refusals.map { text in
                text.hasPrefix("spec.ipFamilyPolicy") ? "p" : String(text.dropFirst("spec.ipFamilies[".count).prefix(1))
            }
            return "!" + marks.joined()
        }
        let families = object.at("spec", "ipFamilies")?.array?.compactMap(\.string) ?? []
        let addresses = object.at("spec", "clusterIPs")?.array?.compactMap(\.string) ?? []
        if addresses == ["None"] {
            #expect(object.at("spec", "clusterIP") == "None")
        } else {
            #expect(addresses.map { IPAddress($0)?.family.name } == families)
            #expect(object.at("spec", "clusterIP")?.string == addresses.first)
        }
        return (object.at("spec", "ipFamilyPolicy")?.string ?? "-").prefix(1)
            + families.map { String($0.suffix(1)) }.joined()
    }
}
