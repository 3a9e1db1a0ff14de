import Addresses
import TestSupport
import Testing
import Translation

/// Translators of the same public addresses, with what hands packets to them.
private struct Partitioned: ~Copyable {
    let partition: PoolPartition
    var translators: [Box]
    var directory: FragmentDirectory
    var milliseconds: UInt64 = 1_000_000

    /// A translator that an array can hold.
    final class Box {
        var nat: NAT64
        init(_ nat: consuming NAT64) { self.nat = nat }
    }

    init(_ shards: Int, _ change: (inout NAT64Configuration) -> Void = { _ in }) {
        var configuration = NAT64Configuration(
            prefix: Net.prefix, pool: [IPv4Address(NAT64Bench.pool)].compactMap(\.self), maximumSessions: 1000,
            secret: 42, options: Net.options { $0.repliesPerSecond = 1_000_000 })
        change(&configuration)
        let partition = PoolPartition(configuration, shards: shards)
        self.partition = partition
        translators = (0..<shards).map { Box(partition.translator($0)) }
        directory = partition.directory()
    }

    /// What becomes of a packet, and whether it was handed from one translator to another.
    mutating func send(_ packet: [UInt8]) -> (result: Result, wasHandedOver: Bool) {
        let now = Timestamp(milliseconds: milliseconds)
        let result = Result(packet) { buffer, range in
            switch partition.owner(of: range, in: buffer) {
            case .shard(let shard):
                if FragmentDirectory.isFirstFragment(range, in: buffer) {
                    directory.note(range, in: buffer, shard: shard, at: now)
                }
                return translators[shard].nat.translate(&buffer, packet: range, at: now)
            case .laterFragment:
                do throws(DropReason) {
                    guard let shard = try directory.shard(of: range, in: buffer, at: now) else { return .held }
                    return translators[shard].nat.translate(&buffer, packet: range, at: now)
                } catch {
                    return .drop(error)
                }
            }
        }
        guard case .handOver(let packet) = result else { return (result, false) }
        let accepted = Result(packet) { buffer, range in
            guard case .shard(let shard) = partition.owner(of: range, in: buffer) else { return .drop(.malformed) }
            return translators[shard].nat.accept(&buffer, packet: range, at: now)
        }
        return (accepted, true)
    }
}

struct `Translators that share public addresses` {
    @Test(arguments: [1, 2, 3, 7])
    func `bring every answer back, whoever has the port`(shards: Int) {
        var all = Partitioned(shards)
        var random = SeededGenerator(seed: 77)
        var given: Set<Int> = []
        var used: Set<Int> = []
        for number in 1...200 {
            let client = "2001:db8:1::\(String(number, radix: 16))"
            let port = Int.random(in: 1...65535, using: &random)
            guard let source = all.send(NAT64Bench.udp6(port, from: client)).result.ports?.source else {
                Issue.record("client \(client) got no port")
                return
            }
            #expect(given.insert(source).inserted, "port \(source) given twice")
            let back = all.send(NAT64Bench.udp4(source)).result
            #expect(back.ports?.destination == port)
            #expect(back.packet.map { Array($0[24..<40]) } == TestPackets.address(client))
            used.insert(all.partition.shard(ofClient: IPv6Address(client) ?? IPv6Address(rawValue: 0)))
        }
        #expect(used.count == shards, "some translator has no client")
    }

    @Test
    func `bring errors back, pings too, and let clients of different ones meet`() {
        var all = Partitioned(4)
        var handedOver = 0
        let pool6 = "2001:db8:64::198.51.100.1"
        for number in 1...40 {
            let client = "2001:db8:1::\(String(number, radix: 16))"
            guard let sent = all.send(NAT64Bench.udp6(40000, from: client)).result.packet else {
                Issue.record("not forwarded")
                return
            }
            let router = "203.0.113.9"
            let error = TestPackets.ipv4(
                router, NAT64Bench.pool, proto: 1, TestPackets.icmpv4(11, 0, [0, 0, 0, 0], sent))
            #expect(all.send(error).result.packet.map { Array($0[24..<40]) } == TestPackets.address(client))
            let request = TestPackets.ipv6(
                client, NAT64Bench.server6, next: 58,
                TestPackets.icmpv6(client, NAT64Bench.server6, 128, 0, [0, 77, 0, 1], [9]))
            guard let ping = all.send(request).result.packet else {
                Issue.record("the request was not forwarded")
                return
            }
            let reply = TestPackets.ipv4(
                NAT64Bench.server, NAT64Bench.pool, proto: 1,
                TestPackets.icmpv4(0, 0, Array(ping[24..<26]) + [0, 1], [9]))
            #expect(all.send(reply).result.packet.map { Array($0[24..<40]) } == TestPackets.address(client))
            let met = all.send(
                NAT64Bench.udp6(1234, to: pool6, Int(sent[20]) << 8 | Int(sent[21]), from: "2001:db8:2::1"))
            #expect(met.wasHandedOver)
            handedOver += met.wasHandedOver ? 1 : 0
            #expect(met.result.packet.map { Array($0[24..<40]) } == TestPackets.address(client))
            // The client's error about it finds the way back as well.
            guard let arrived = met.result.packet else { return }
            let refused = TestPackets.ipv6(
                client, pool6, next: 58, TestPackets.icmpv6(client, pool6, 1, 4, [0, 0, 0, 0], arrived))
            #expect(
                all.send(refused).result.packet.map { Array($0[24..<40]) } == TestPackets.address("2001:db8:2::1"))
        }
        #expect(handedOver == 40)
    }

    @Test
    func `find the one with the first fragment, also when it comes last`() {
        for isLate in [false, true] {
            var all = Partitioned(4)
            for number in 1...20 {
                let client = "2001:db8:1::\(String(number, radix: 16))"
                let port = all.send(NAT64Bench.udp6(40000, from: client)).result.ports?.source ?? 0
                let whole = TestPackets.udp(
                    NAT64Bench.server, NAT64Bench.pool, (53, port), [UInt8](repeating: 7, count: 200))
                let first = TestPackets.ipv4(
                    NAT64Bench.server, NAT64Bench.pool, proto: 17, Array(whole[..<104]), id: number,
                    flagsAndOffset: 0x2000)
                let last = TestPackets.ipv4(
                    NAT64Bench.server, NAT64Bench.pool, proto: 17, Array(whole[104...]), id: number,
                    flagsAndOffset: 13)
                if isLate { #expect(all.send(last).result == .held) }
                #expect(all.send(first).result.packet.map { Array($0[24..<40]) } == TestPackets.address(client))
                guard isLate else {
                    #expect(all.send(last).result.packet.map { Array($0[24..<40]) } == TestPackets.address(client))
                    continue
                }
                let now = Timestamp(milliseconds: all.milliseconds)
                let released = Result([UInt8](repeating: 0, count: 2048)) { buffer, _ in
                    guard case .ready(let packet, let shard) = all.directory.release(into: &buffer, at: now) else {
                        return .drop(.malformed)
                    }
                    return all.translators[shard].nat.translate(&buffer, packet: packet, at: now)
                }
                #expect(released.packet.map { Array($0[24..<40]) } == TestPackets.address(client))
            }
        }
    }

    @Test
    func `keep a forwarded port for the client's own translator`() {
        for number in 1...8 {
            let client = "2001:db8:1::\(number)"
            var all = Partitioned(4) {
                $0.forwards = [
                    PortForward(
                        kind: .tcp, publicAddress: $0.pool[0], publicPort: 30000,
                        client: IPv6Address(client) ?? IPv6Address(rawValue: 0), clientPort: 80)
                ]
            }
            #expect(all.send(NAT64Bench.tcp4(30000, flags: 2)).result.ports?.destination == 80)
            let back = TestPackets.ipv6(
                client, NAT64Bench.server6, next: 6,
                TestPackets.tcp(client, NAT64Bench.server6, (80, 443), flags: 0x12, []))
            #expect(all.send(back).result.ports?.source == 30000)
        }
    }
}
