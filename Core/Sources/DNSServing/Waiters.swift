import Addresses
import DNSResolution

/// A query that waits for other servers.
final class Waiter {
    /// Where the answer goes.
    enum Destination {
        case datagram(listener: UInt32, SocketAddress)
        case stream(UInt32)
    }

    let query: [UInt8]
    let client: IPAddress
    let destination: Destination
    /// From when on an answer that is no longer fresh is better than none, in milliseconds.
    let lateTime: Int64
    var isLate = false

    /// How long a client waits before it is given an answer that is no longer fresh (RFC 8767 §5), in milliseconds.
    private static let patience: Int64 = 1800

    init(query: [UInt8], client: IPAddress, destination: Destination, now: Int64) {
        self.query = query
        self.client = client
        self.destination = destination
        lateTime = now + Waiter.patience
    }
}

/// The queries that wait, by what they wait for.
struct Waiters {
    private(set) var byKey: [FactKey: [Waiter]] = [:]
    private var byClient: [IPAddress: Int] = [:]
    /// No patience is over before this time, in milliseconds.
    private var earliest: Int64 = .max
    private(set) var count = 0

    /// Queries that may wait at once.
    static let maximum = 4096

    /// Whether a client may have one more query waiting: a client may use half of what the others leave free, so that one
    /// that floods leaves room for all others.
    func hasRoom(for client: IPAddress) -> Bool { byClient[client, default: 0] < (Waiters.maximum - count + 1) / 2 }

    mutating func add(_ waiter: Waiter, for key: FactKey) {
        byKey[key, default: []].append(waiter)
        byClient[waiter.client, default: 0] += 1
        count += 1
        if !waiter.isLate { earliest = min(earliest, waiter.lateTime) }
    }

    mutating func take(_ key: FactKey) -> [Waiter] {
        let waiters = byKey.removeValue(forKey: key) ?? []
        for waiter in waiters { forget(waiter) }
        return waiters
    }

    /// Takes those whose patience is over.
    mutating func takeLate(now: Int64) -> [(FactKey, Waiter)] {
        guard let due = nextDeadline, now >= due else { return [] }
        var late: [(FactKey, Waiter)] = []
        for (key, waiters) in byKey {
            let impatient = waiters.filter { !$0.isLate && now >= $0.lateTime }
            guard !impatient.isEmpty else { continue }
            let others = waiters.filter { waiter in !impatient.contains { $0 === waiter } }
            byKey[key] = others.isEmpty ? nil : others
            for waiter in impatient {
                forget(waiter)
                waiter.isLate = true
                late.append((key, waiter))
            }
        }
        earliest = byKey.values.lazy.joined().filter { !$0.isLate }.map(\.lateTime).min() ?? .max
        return late
    }

    private mutating func forget(_ waiter: Waiter) {
        count -= 1
        let left = byClient[waiter.client, default: 1] - 1
        byClient[waiter.client] = left > 0 ? left : nil
    }

    /// When `takeLate` is due at the latest, in milliseconds; nil if nobody waits who may lose patience.
    ///
    /// It does not follow every query that is answered: looking for the next one costs as much as there are that wait.
    var nextDeadline: Int64? { count == 0 || earliest == .max ? nil : earliest }
}
