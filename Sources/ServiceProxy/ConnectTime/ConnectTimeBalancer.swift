package import Addresses
internal import BPF
internal import Linux
package import Logging

/// Leads calls of Services to endpoints while they are made, by programs that the processes of cgroups run.
///
/// It follows the tables of both families. nftables serves everything all the time: whatever goes wrong here only means
/// that packets are led instead of calls, so nothing throws; the reason is told, and each comparison of everything tries
/// again.
package final class ConnectTimeBalancer {
    /// Whether calls are led at present.
    package enum State: Hashable, Sendable {
        /// The tables are not complete yet.
        case waiting
        /// Calls are led.
        case active
        /// nftables does all, because of a reason.
        case unavailable(String)
    }

    package private(set) var state = State.waiting

    private let options: ConnectTimeOptions
    private let families: Set<IPFamily>
    private let programs: ConnectTimePrograms
    private let node: NetworkNamespace
    private var addresses: NodeAddresses
    private let logger: Logger
    private var scopes: [ConnectTimeScope] = []
    private var maps: ConnectTimeMaps?
    /// The families whose tables are in the maps.
    private var synchronised: Set<IPFamily> = []
    /// How many entries the maps have of each family, if they are as they should be.
    var entryCounts: [IPFamily: Int] = [:]
    /// What was found so far by comparisons that are going on.
    var comparisons: [IPFamily: TableComparison] = [:]

    /// A balancer for the node in whose network namespace the caller is; it waits for the tables of the families.
    package init(
        _ options: ConnectTimeOptions, answersOnLoopback: Bool, masqueradesAll: Bool, families: Set<IPFamily>,
        logger: Logger
    ) throws {
        self.options = options
        self.families = families
        self.logger = logger
        node = try NetworkNamespace.current()
        addresses = try NodeAddresses()
        programs = ConnectTimePrograms(
            ConnectTimePrograms.Constants(
                nodeNamespace: try NetworkNamespace.currentCookie(), answersOnLoopback: answersOnLoopback,
                masqueradesAll: masqueradesAll, connectsDatagrams: StaleSockets.arePossible))
    }

    /// Takes away what an earlier agent of this node, which led calls, left to the kernel.
    ///
    /// The node is the one in whose network namespace the caller is; false when there was nothing.
    package static func removeLeftovers() throws -> Bool {
        // Kernels that have no cookies have no programs either.
        guard let cookie = try? NetworkNamespace.currentCookie() else { return false }
        return try ConnectTimePrograms.remove(nodeNamespace: cookie)
    }

    /// Brings the maps to what a table says, whatever they hold; attaches the programs when all families are there.
    package func synchronise(with table: ProxyTable) {
        attempt { () throws in
            if maps == nil { try open() }
            let part = table.connectTimePart
            if let found = try maps?.content(table.family) { try maps?.apply(found.difference(to: part)) }
            entryCounts[table.family] = part.entries.count
            try maps?.set(nodeAddresses: addresses.current())
            synchronised.insert(table.family)
            guard synchronised == families, state != .active || !isAttached else { return }
            for scope in scopes { try programs.attach(programs.load(scope), scope) }
            try programs.removeLinks(except: scopes)
            state = .active
            logger.notice(
                "calls of Services are led at connect time",
                metadata: ["cgroups": "\(scopes.map(\.cgroup).joined(separator: ", "))"])
        }
    }

    /// Applies a difference of a table that was synchronised.
    package func apply(_ difference: TableDifference) {
        guard synchronised.contains(difference.family) else { return }
        comparisons[difference.family]?.note(difference)
        entryCounts[difference.family, default: 0] += difference.connectTimeGrowth
        attempt { try maps?.apply(difference) }
    }

    /// Forgets datagram flows that lead where no endpoint serves any more, and ends the sockets that are connected there.
    func forgetFlows(_ stale: StaleFlows) {
        var gone: [ConnectTimeMaps.Flow] = []
        attempt { gone = try maps?.find(stale) ?? [] }
        let connected = ConnectTimeMaps.connected(gone)
        if !connected.isEmpty {
            do {
                try StaleSockets(scopes: scopes).end(connected, node: node)
            } catch {
                logger.warning(
                    "some datagram sockets still send to an endpoint that is gone", metadata: ["error": "\(error)"])
            }
        }
        // Not before: an agent that dies in between must leave its successor a trace of them.
        if !gone.isEmpty { attempt { try maps?.forget(gone) } }
    }

    /// Follows the addresses of the node.
    package func followNode() {
        attempt {
            guard state == .active, try addresses.haveChanged() else { return }
            try maps?.set(nodeAddresses: addresses.current())
        }
    }

    /// Whether calls are led, and the programs are where they should be; node addresses are brought up to date.
    ///
    /// What the maps hold of Services is looked at by `agrees`.
    func isInPlace() -> Bool {
        attempt { try maps?.set(nodeAddresses: addresses.current()) }
        return state == .active && isAttached
    }

    /// A reader of the maps that can be at work beside this.
    var reader: ConnectTimeReader { ConnectTimeReader(programs.mapDirectory) }

    private var isAttached: Bool { scopes.allSatisfy(programs.isAttached) }

    /// Finds the cgroups and opens the maps, with what is in them from before.
    private func open() throws {
        scopes = try ConnectTimeScope.all(options)
        guard let first = scopes.first else { return }
        _ = try programs.load(first)
        maps = try ConnectTimeMaps(pinnedIn: programs.mapDirectory)
    }

    /// Performs a step; when it fails, takes the programs away and leaves all to nftables.
    private func attempt(_ step: () throws -> Void) {
        do {
            try step()
        } catch {
            let reason = "\(error)"
            maps = nil
            synchronised = []
            comparisons = [:]
            do throws(SystemError) {
                try programs.remove()
            } catch {
                logger.error("cannot remove connect-time balancing", metadata: ["error": "\(error)"])
            }
            guard state != .unavailable(reason) else { return }
            state = .unavailable(reason)
            logger.warning(
                "calls of Services cannot be led at connect time: nftables does all", metadata: ["reason": "\(reason)"])
        }
    }
}
