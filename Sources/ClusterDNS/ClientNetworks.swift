package import Addresses
package import DNSResolution

/// Whose queries are answered, by who says so; what changes by a statement costs what the statement says, however many
/// others there are.
package struct ClientNetworks {
    /// Who says that clients may ask.
    package enum Source: Hashable, Sendable {
        /// The configuration.
        case configuration
        /// The server itself: this machine asks under the address that it asks.
        case server
        /// A node's objects: its pods and itself.
        case node(String)
    }

    /// What becomes of a network: nil if nobody says anything about it any more.
    package typealias Change = (prefix: IPPrefix, network: ClientNetwork?)

    private var statements: [Source: [IPPrefix: ClientNetwork]] = [:]
    private var sources: [IPPrefix: [Source]] = [:]
    private var podNetworks: [IPFamily: Int] = [:]

    /// Makes the networks of nobody.
    package init() {}

    /// The families that pods have a network of.
    package var families: Set<IPFamily> { Set(podNetworks.keys) }

    /// Puts a statement in the place of the last one of the same source; the result is what changes by it.
    package mutating func set(_ source: Source, _ networks: [IPPrefix: ClientNetwork]) -> [Change] {
        let old = statements[source] ?? [:]
        guard old != networks else { return [] }
        var changes: [Change] = []
        let changed = old.filter { networks[$0.key] != $0.value }.keys + networks.keys.filter { old[$0] == nil }
        for prefix in changed {
            let before = network(prefix)
            statements[source, default: [:]][prefix] = networks[prefix]
            sources[prefix, default: []].removeAll { $0 == source }
            if networks[prefix] != nil { sources[prefix, default: []].append(source) }
            if sources[prefix]?.isEmpty == true { sources[prefix] = nil }
            let after = network(prefix)
            guard before != after else { continue }
            count(before, prefix.family, -1)
            count(after, prefix.family, 1)
            changes.append((prefix, after))
        }
        if networks.isEmpty { statements[source] = nil }
        return changes
    }

    /// What is known about a network: that it is of pods, if anybody says so.
    private func network(_ prefix: IPPrefix) -> ClientNetwork? {
        let known = (sources[prefix] ?? []).compactMap { statements[$0]?[prefix] }
        return known.last { $0 != .others } ?? known.last
    }

    private mutating func count(_ network: ClientNetwork?, _ family: IPFamily, _ step: Int) {
        guard case .pods = network else { return }
        let count = podNetworks[family, default: 0] + step
        podNetworks[family] = count > 0 ? count : nil
    }
}
