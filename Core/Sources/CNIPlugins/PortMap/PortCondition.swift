import Addresses
import CNI
import NFTables

/// A condition on the packets that a port mapping holds for, in the words of iptables or of nft.
///
/// Understood are addresses: `[!] -s|--source PREFIX`, `[!] -d|--destination PREFIX`, and
/// `ip|ip6 saddr|daddr [==|!=] PREFIX`.
struct PortCondition: Hashable {
    /// The address that is compared.
    let field: Expression.AddressField
    /// Whether the address must lie outside the prefix.
    let isInverted: Bool
    /// The prefix.
    let prefix: IPPrefix

    /// Reads the words of `conditionsV4` or `conditionsV6`; nil when they say anything else.
    static func list(_ words: [String], _ family: IPFamily) -> [PortCondition]? {
        var conditions: [PortCondition] = []
        var rest = words.flatMap { $0.split(separator: " ").map(String.init) }[...]
        while !rest.isEmpty {
            guard let condition = iptables(&rest, family) ?? nft(&rest, family) else { return nil }
            conditions.append(condition)
        }
        return conditions
    }

    private static func iptables(_ words: inout ArraySlice<String>, _ family: IPFamily) -> PortCondition? {
        var rest = words
        let isInverted = rest.first == "!"
        if isInverted { rest.removeFirst() }
        let field: Expression.AddressField
        switch rest.popFirst() {
        case "-s", "--source", "--src": field = .source
        case "-d", "--destination", "--dst": field = .destination
        default: return nil
        }
        guard let prefix = prefix(rest.popFirst(), family) else { return nil }
        words = rest
        return PortCondition(field: field, isInverted: isInverted, prefix: prefix)
    }

    private static func nft(_ words: inout ArraySlice<String>, _ family: IPFamily) -> PortCondition? {
        var rest = words
        guard rest.popFirst() == (family == .ipv4 ? "ip" : "ip6") else { return nil }
        let field: Expression.AddressField
        switch rest.popFirst() {
        case "saddr": field = .source
        case "daddr": field = .destination
        default: return nil
        }
        let isInverted = rest.first == "!="
        if isInverted || rest.first == "==" { rest.removeFirst() }
        guard let prefix = prefix(rest.popFirst(), family) else { return nil }
        words = rest
        return PortCondition(field: field, isInverted: isInverted, prefix: prefix)
    }

    private static func prefix(_ word: String?, _ family: IPFamily) -> IPPrefix? {
        guard let word else { return nil }
        let address = IPAddress(word).map { IPPrefix($0, length: $0.family.bitWidth) }
        guard let prefix = address ?? IPPrefix(masking: word), prefix.family == family else { return nil }
        return prefix
    }

    /// The steps of a rule that go on for packets that meet it.
    var expressions: [Expression] { Expression.address(field, isInverted ? .notEqual : .equal, in: prefix) }
}

extension PortCondition: CustomStringConvertible {
    /// The words of nft without the family.
    var description: String { "\(field)\(isInverted ? " !=" : "") \(prefix)" }
}
