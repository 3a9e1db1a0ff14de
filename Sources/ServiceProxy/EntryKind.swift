/// What an entry of the table is about, without saying which.
package enum EntryKind: CaseIterable, Sendable {
    case action, outsiders, alias, slot, stickySlot, member, clusterAddress, hairpin, localPods, unmasqueraded
    case nodePortRange, serviceRange, translated, unanswered, standIn, guarded, admitted

    /// The maps and sets in which elements of such entries stand, and no others.
    var maps: [TableLayout.MapName] {
        switch self {
        case .action: [.services, .nodePorts, .unserved, .unservedNodePorts]
        case .outsiders: [.outsiders, .nodePortOutsiders]
        case .alias: [.aliases, .nodePortAliases]
        case .slot: [.endpoints]
        case .stickySlot: [.stickyEndpoints]
        case .member: [.members]
        case .clusterAddress: [.clusterAddresses]
        case .hairpin: [.hairpins]
        case .localPods: [.localPods]
        case .unmasqueraded: [.unmasqueraded]
        case .nodePortRange: [.nodePortRanges]
        case .serviceRange: [.serviceRanges]
        case .translated: [.translated]
        case .unanswered: [.unanswered]
        case .standIn: [.standIns]
        case .guarded: [.guarded]
        case .admitted: [.admitted]
        }
    }
}

extension TableEntry {
    package var kind: EntryKind {
        switch self {
        case .action: .action
        case .outsiders: .outsiders
        case .alias: .alias
        case .slot: .slot
        case .stickySlot: .stickySlot
        case .member: .member
        case .clusterAddress: .clusterAddress
        case .hairpin: .hairpin
        case .localPods: .localPods
        case .unmasqueraded: .unmasqueraded
        case .nodePortRange: .nodePortRange
        case .serviceRange: .serviceRange
        case .translated: .translated
        case .unanswered: .unanswered
        case .standIn: .standIn
        case .guarded: .guarded
        case .admitted: .admitted
        }
    }
}
