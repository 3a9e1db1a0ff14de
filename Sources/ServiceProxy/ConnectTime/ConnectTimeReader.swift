internal import Addresses
internal import BPF

/// Reads what the maps of connect-time balancing hold, beside the balancer: no change waits for it.
actor ConnectTimeReader {
    private let directory: String

    /// A reader of the maps that are pinned in a directory.
    init(_ directory: String) {
        self.directory = directory
    }

    /// The entries of a family by their kinds.
    func content(_ family: IPFamily) throws -> [EntryKind: [(TableEntry, TableValue)]] {
        var content: [EntryKind: [(TableEntry, TableValue)]] = [:]
        let maps = try ConnectTimeMaps(pinnedIn: directory)
        try maps.forEachEntry(of: family) { content[$0.kind, default: []].append(($0, $1)) }
        return content
    }
}
