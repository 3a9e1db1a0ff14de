internal import Addresses

extension ServiceProxyModel {
    /// The elements that depend on the node, the options and the cluster's ranges, and on no Service.
    var ranges: Set<TableEntry> {
        let own = node.podPrefixes.union(furtherPods).filter { $0.family == family }.withoutContained
        // While no block is known every source counts as local: a wrong guess must not hide the addresses of pods.
        let unmasqueraded = options.masqueradesAll ? [] : own.isEmpty ? [.everything(of: family)] : own
        return Set(own.map { .localPods($0) } + unmasqueraded.map { .unmasqueraded($0) })
            .union(nodePortRanges.map { .nodePortRange($0) })
            .union(serviceRanges.withoutContained.map { .serviceRange($0) })
            .union(translationRanges)
    }

    /// What is translated on its way, and what must not leave the node when it was.
    private var translationRanges: Set<TableEntry> {
        guard isTranslating, let addresses = translationAddresses else { return [] }
        var ranges: Set<TableEntry> = [.translated(addresses.range(family))]
        if let unanswered = addresses.unanswered(family) { ranges.insert(.unanswered(unanswered)) }
        return ranges
    }

    /// The addresses at which balancers ask for the health of Services: those of node ports.
    var healthAddresses: [IPAddress] {
        let own = node.addresses.filter { $0.family == family }
        return switch options.nodePortAddresses {
        case .all: [IPAddress(family: family, bits: 0)]
        case .primary: Array(own.prefix(1))
        case .within(let prefixes): own.filter { address in prefixes.contains { $0.contains(address) } }
        }
    }

    private var nodePortRanges: Set<IPPrefix> {
        switch options.nodePortAddresses {
        case .all: [.everything(of: family)]
        case .primary:
            Set(
                node.addresses.first { $0.family == family }.map { IPPrefix($0, length: family.bitWidth) }.map { [$0] }
                    ?? [])
        case .within(let prefixes): Set(prefixes.filter { $0.family == family }).withoutContained
        }
    }
}

extension IPPrefix {
    /// The prefix that holds every address of a family.
    static func everything(of family: IPFamily) -> IPPrefix {
        IPPrefix(IPAddress(family: family, bits: 0), length: 0)
    }
}

extension Set<IPPrefix> {
    /// The prefixes that lie in no other, as a set of ranges must not overlap.
    /// - Complexity: O(n log n).
    var withoutContained: Set<IPPrefix> {
        var kept: Set<IPPrefix> = []
        var last: IPPrefix?
        // In this order a prefix comes right after the one that contains it, or after others that it contains.
        for prefix in sorted() where last?.overlaps(prefix) != true {
            kept.insert(prefix)
            last = prefix
        }
        return kept
    }
}
