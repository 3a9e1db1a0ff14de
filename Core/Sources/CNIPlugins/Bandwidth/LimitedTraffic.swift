import Addresses
import CNI
import Netlink
import RouteNetlink

/// What a link sends, or a part of it, at a limited rate.
///
/// All of it is limited by a token bucket alone. For a part there are two classes, one with the limit and one without, and
/// filters that tell them apart: the same as those of the reference plugin since its version 1.5.
struct LimitedTraffic {
    /// The link.
    let link: Link
    /// The limit.
    let bucket: TokenBucket
    /// Which packets it is for.
    let scope: BandwidthConfiguration.Scope
    /// Which address of a packet is that of the other end.
    let otherEnd: SubnetFilter.Field

    private static let root = QueueingDiscipline.Handle(1)
    private static let free = QueueingDiscipline.Handle(1, 1)
    private static let limited = QueueingDiscipline.Handle(1, 0x30)
    /// Bytes a second; faster than any link.
    private static let unlimitedRate: UInt64 = 100_000_000_000
    /// A millisecond's worth may be sent at once.
    private static let unlimitedTicks = UInt32(1_000_000 / TokenBucket.tickNanoseconds)

    /// Sets the limit; leaves nothing of it when that fails.
    func add(_ host: inout RouteSocket) throws(NetlinkError) {
        switch scope {
        case .all: try addDiscipline(Self.root, at: .root, .tokenBucket(bucket), &host)
        case .only(let subnets): try divide(subnets, to: Self.limited, others: Self.free, &host)
        case .except(let subnets): try divide(subnets, to: Self.free, others: Self.limited, &host)
        }
    }

    private func divide(
        _ subnets: [IPPrefix], to target: QueueingDiscipline.Handle, others: QueueingDiscipline.Handle,
        _ host: inout RouteSocket
    ) throws(NetlinkError) {
        let defaultClass = UInt16(truncatingIfNeeded: others.rawValue)
        try addDiscipline(Self.root, at: .root, .hierarchy(defaultClass: defaultClass), &host)
        do throws(NetlinkError) {
            for (handle, rate, ticks) in [
                (Self.free, Self.unlimitedRate, Self.unlimitedTicks), (Self.limited, bucket.rate, bucket.bufferTicks),
            ] {
                try host.addTrafficClass(
                    TrafficClass(link: link.index, handle: handle, parent: Self.root, rate: rate, bufferTicks: ticks))
            }
            // As long as packets may wait before a bucket alone.
            try addDiscipline(.init(0x30), at: Self.limited, .byteQueue(limit: bucket.limit), &host)
            for subnet in subnets {
                try host.addSubnetFilter(
                    SubnetFilter(link: link.index, parent: Self.root, otherEnd, in: subnet, to: target))
            }
        } catch {
            try? host.deleteQueueingDiscipline(link.index, at: .root)
            throw error
        }
    }

    private func addDiscipline(
        _ handle: QueueingDiscipline.Handle, at parent: QueueingDiscipline.Handle, _ kind: QueueingDiscipline.Kind,
        _ host: inout RouteSocket
    ) throws(NetlinkError) {
        try host.addQueueingDiscipline(
            QueueingDiscipline(link: link.index, handle: handle, parent: parent, kind))
    }

    /// Verifies the limit.
    func verify(_ host: inout RouteSocket) throws {
        let disciplines = try host.queueingDisciplines(link.index)
        for discipline in disciplines {
            switch (discipline.kind, scope) {
            case (.tokenBucket(let present), .all):
                try verify(rate: present.rate)
                guard present == bucket else { throw CNIError("Buffer or limit of \(link.name) doesn't match") }
                return
            case (.hierarchy(let defaultClass), _):
                // The newer reference has classes also where all is limited.
                var expected = Self.limited
                if case .only = scope { expected = Self.free }
                guard defaultClass == UInt16(truncatingIfNeeded: expected.rawValue) else {
                    throw CNIError("Default class does not match")
                }
                let classes = try host.trafficClasses(link.index)
                guard let present = classes.first(where: { $0.handle == Self.limited }) else { continue }
                try verify(rate: present.rate)
                return
            default: continue
            }
        }
        throw CNIError("Failed to find qdisc of \(link.name)")
    }

    private func verify(rate: UInt64) throws(CNIError) {
        guard rate == bucket.rate else {
            throw CNIError("Rate doesn't match: \(link.name) has \(rate) bytes/s, expected \(bucket.rate)")
        }
    }
}
