import Addresses
import NFTables

/// A rule of the `filter` tables, as the reference plugin gives it to iptables, and as iptables gives it to the kernel.
///
/// A packet passes only if no table of the machine drops it. A machine with a policy of dropping what it forwards has it
/// in these tables, so the rules must be there too, in a form that iptables lists, compares and deletes as its own.
struct FilterRule: Hashable {
    /// The chain.
    let chain: String
    /// What iptables is told after the chain.
    let words: String
    /// What the kernel does.
    let expressions: [Expression]

    private init(_ chain: String, _ words: String, _ expressions: [Expression], _ verdict: Verdict) {
        self.chain = chain
        self.words = words
        self.expressions = expressions + [.counter, .verdict(verdict)]
    }

    /// The rule in a table.
    ///
    /// - Parameter owner: whom the rule is for; iptables neither shows nor compares it.
    func rule(_ family: IPFamily, owner: String? = nil) -> Rule {
        Rule(table: FilterTable.table(family), chain: chain, owner: owner, expressions)
    }

    /// Leads from the chain of forwarded packets to the plugin's.
    static let entry = FilterRule(
        "FORWARD", "-m comment --comment \"CNI firewall plugin rules\" -j CNI-FORWARD",
        [.comment("CNI firewall plugin rules")], .jump("CNI-FORWARD"))

    /// Leads from the plugin's chain to that of the administrator.
    static func admin(_ chain: String) -> FilterRule {
        FilterRule(
            "CNI-FORWARD", "-m comment --comment \"CNI firewall plugin admin overrides\" -j \(chain)",
            [.comment("CNI firewall plugin admin overrides")], .jump(chain))
    }

    /// Let a pod's packets, and the answers to it, pass.
    static func pass(_ pod: IPAddress) -> [FilterRule] {
        let prefix = IPPrefix(pod, length: pod.family.bitWidth)
        let answers = ConnectionState.related | ConnectionState.established
        return [
            FilterRule(
                "CNI-FORWARD", "-d \(prefix) -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
                Expression.address(.destination, in: prefix) + [.isConnection(answers)], .accept),
            FilterRule(
                "CNI-FORWARD", "-s \(prefix) -j ACCEPT", Expression.address(.source, in: prefix), .accept),
        ]
    }

    private static let isolationText = "CNI firewall plugin rules (ingressPolicy: same-bridge)"

    /// Leads from the chain of forwarded packets to the first of isolation.
    static let isolationEntry = isolation("FORWARD", "", [], .jump(FilterTable.firstStage))

    /// What comes from a bridge and leaves elsewhere goes on to the second chain.
    static func leaving(_ bridge: String) -> FilterRule {
        isolation(
            FilterTable.firstStage, "-i \(bridge) ! -o \(bridge) ", input(bridge) + output(bridge, .notEqual),
            .jump(FilterTable.secondStage))
    }

    /// What comes from a bridge and leaves to it ends.
    static func within(_ bridge: String) -> FilterRule {
        isolation(
            FilterTable.firstStage, "-i \(bridge) -o \(bridge) ", input(bridge) + output(bridge, .equal), .drop)
    }

    /// What comes from another bridge and leaves to this one ends.
    static func entering(_ bridge: String) -> FilterRule {
        isolation(FilterTable.secondStage, "-o \(bridge) ", output(bridge, .equal), .drop)
    }

    /// The end of a chain of isolation.
    static func end(_ chain: String) -> FilterRule { isolation(chain, "", [], .return) }

    private static func isolation(
        _ chain: String, _ words: String, _ expressions: [Expression], _ verdict: Verdict
    ) -> FilterRule {
        let target = verdict.chain ?? "\(verdict)".uppercased()
        return FilterRule(
            chain, "\(words)-m comment --comment \"\(isolationText)\" -j \(target)",
            expressions + [.comment(isolationText)], verdict)
    }

    // iptables compares a name with the zero behind it, and no more.
    private static func terminated(_ name: String) -> [UInt8] { Array(name.utf8) + [0] }

    private static func input(_ name: String) -> [Expression] {
        [.meta(.inputInterfaceName, Register(0)), .compare(Register(0), .equal, terminated(name))]
    }

    private static func output(_ name: String, _ comparison: Expression.Comparison) -> [Expression] {
        [.meta(.outputInterfaceName, Register(0)), .compare(Register(0), comparison, terminated(name))]
    }
}
