internal import CLinux
internal import Netlink

extension RuleEntry {
    /// The names of its expressions, in order.
    public var expressions: [String] {
        steps.map(\.name)
    }

    /// Whether it does what a rule says, whatever it has counted; the kernel may add attributes to those of the rule.
    public func does(_ rule: Rule) -> Bool {
        let own = Self.steps(rule.encodedExpressions)
        let present = steps
        return own.count == present.count
            && zip(own, present).allSatisfy { own, present in
                own.name == present.name && (own.name == "counter" || present.data.contains(own.data))
            }
    }

    /// The packets and bytes that its first counter has counted; nil without one.
    public var count: (packets: UInt64, bytes: UInt64)? {
        guard let data = steps.first(where: { $0.name == "counter" })?.data else { return nil }
        return (data[NFTA_COUNTER_PACKETS]?.bigEndian() ?? 0, data[NFTA_COUNTER_BYTES]?.bigEndian() ?? 0)
    }

    private var steps: [(name: String, data: NetlinkAttributes)] {
        Self.steps(content)
    }

    private static func steps(_ content: [UInt8]) -> [(name: String, data: NetlinkAttributes)] {
        NetlinkAttributes(content[...]).compactMap { element in
            guard let name = element.attributes.text(NFTA_EXPR_NAME) else { return nil }
            return (name, element.attributes[NFTA_EXPR_DATA]?.attributes ?? NetlinkAttributes([]))
        }
    }
}

extension NetlinkAttributes {
    /// Whether each of the other attributes is here with the same value.
    ///
    /// The kernel does not mark attributes that hold attributes, so the other ones must be marked.
    fileprivate func contains(_ other: NetlinkAttributes) -> Bool {
        other.allSatisfy { own in
            guard let present = self[own.type] else { return false }
            return own.isNested
                ? present.attributes.contains(own.attributes) : present.payload == own.payload
        }
    }
}
