import Addresses
import DNSMessage
import DNSResolution
import DNSServing
import Dispatch
import Foundation
import Linux
import Synchronization
import TestSupport
import Testing

/// A zone as short expressions.
enum Zones {
    static func name(_ text: String) -> DNSName { DNSName(text) ?? .root }

    static func make(
        domain: String = "cluster.local", _ records: [(String, [String], [DNSRecordData])], ttl: UInt32 = 30
    ) throws -> ZoneSnapshot {
        var zone = ZoneSnapshot(settings: try #require(ZoneSettings(domain: name(domain))))
        for (owner, addresses, others) in records {
            zone.set(
                NameRecords(
                    name: name("\(owner).\(domain)"), addresses: addresses.compactMap { IPAddress($0) }, others: others,
                    ttl: ttl))
        }
        zone.isComplete = true
        return zone
    }
}

/// A server on loopback addresses.
final class RunningServer: Sendable {
    let port: UInt16
    let state: DNSServerState
    private let end = DispatchSemaphore(value: 0)
    private let isStopped = Atomic(false)

    init(
        _ zone: ZoneSnapshot, addresses: [String] = ["127.0.0.1"], port: UInt16, upstreams: [String] = [],
        inheritingFrom path: String? = nil, prepare: (DNSServerState) -> Void = { _ in }
    ) throws {
        self.port = port
        var configuration = DNSServerConfiguration()
        configuration.port = port
        state = try DNSServerState(snapshot: zone)
        prepare(state)
        if let path { try SocketHandover(from: path, into: state).start() }
        state.setAddresses(Set(addresses.compactMap { IPAddress($0) }))
        state.setRules([ForwardRule(upstreams: upstreams.compactMap { Upstream(text: $0) })])
        let (state, end) = (state, end)
        try OSThread.detach(name: "dt-base-dns") { [configuration] in
            try? DNSServer(state: state, configuration: configuration) { _ in }.run()
            end.signal()
        }
        let limit = ContinuousClock.now + .seconds(60)
        while state.answering.count < addresses.count, ContinuousClock.now < limit { usleep(2000) }
    }

    func stop() {
        guard !isStopped.exchange(true, ordering: .relaxed) else { return }
        state.stop()
        end.wait()
    }

    /// What dig prints for its arguments.
    func dig(_ arguments: String..., at address: String = "127.0.0.1") throws -> String {
        try Dig.ask(address, port: port, arguments)
    }
}
