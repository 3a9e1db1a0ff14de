import Addresses

/// The servers that stand in for one node's, chosen among all that could: each node chooses others, and the same as long as
/// these are there (rendezvous hashing).
///
/// A server more or less costs the same however many there are: only where a chosen one goes, which is the rarer the more
/// there are, the next one is looked for among all.
package struct StandInChoice {
    private typealias Ranked = (rank: UInt64, standIn: FailoverPlan.StandIn)

    private let node: String
    /// All servers, their ranks, and how often each has been put in.
    private var candidates: [IPFamily: [FailoverPlan.StandIn: (rank: UInt64, count: Int)]] = [:]
    private var chosen: [IPFamily: [Ranked]] = [:]
    /// The servers that have been looked at so far: what all choices have cost.
    package private(set) var steps = 0

    /// The servers of one family that a node uses at most.
    package static let maximum = 16

    /// Makes a choice among no servers.
    package init(for node: String) { self.node = node }

    /// The servers, those of IPv4 first, and of each family those that stand in first.
    package var standIns: [FailoverPlan.StandIn] {
        IPFamily.allCases.flatMap { (chosen[$0] ?? []).map(\.standIn) }
    }

    /// Adds a server.
    package mutating func insert(_ standIn: FailoverPlan.StandIn) {
        let family = standIn.address.family
        if let known = candidates[family]?[standIn] {
            candidates[family]?[standIn] = (known.rank, known.count + 1)
            return
        }
        let rank = Self.rank(node, standIn)
        candidates[family, default: [:]][standIn] = (rank, 1)
        choose((rank, standIn), family)
    }

    /// Takes a server away that has been added.
    package mutating func remove(_ standIn: FailoverPlan.StandIn) {
        let family = standIn.address.family
        guard let known = candidates[family]?[standIn] else { return }
        guard known.count == 1 else {
            candidates[family]?[standIn] = (known.rank, known.count - 1)
            return
        }
        candidates[family]?[standIn] = nil
        steps += 1
        guard let index = chosen[family]?.firstIndex(where: { $0.standIn == standIn }) else { return }
        chosen[family]?.remove(at: index)
        let taken = chosen[family] ?? []
        guard taken.count == Self.maximum - 1 else { return }
        for (standIn, (rank, _)) in candidates[family] ?? [:] where !taken.contains(where: { $0.standIn == standIn }) {
            choose((rank, standIn), family)
        }
    }

    /// Puts a server among the chosen ones, if it is better than the last of them.
    private mutating func choose(_ new: Ranked, _ family: IPFamily) {
        steps += 1
        var list = chosen[family] ?? []
        let place = list.firstIndex { (new.rank, new.standIn.address) < ($0.rank, $0.standIn.address) } ?? list.count
        guard place < Self.maximum else { return }
        list.insert(new, at: place)
        if list.count > Self.maximum { list.removeLast() }
        chosen[family] = list
    }

    /// FNV-1a over both names, mixed once more so that all of its bits count.
    private static func rank(_ node: String, _ standIn: FailoverPlan.StandIn) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in Array(node.utf8) + [0] + standIn.address.bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return (hash ^ hash >> 29) &* 0x9E37_79B9_7F4A_7C15
    }
}
