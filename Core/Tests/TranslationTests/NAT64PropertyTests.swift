import Addresses
import TestSupport
import Testing
import Translation

/// Random traffic against a model: whatever happens, tables agree with it, and time empties them.
struct `NAT64 under random traffic` {
    @Test(arguments: UInt64(1)...4)
    func `maps as a model maps, and forgets everything in the end`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var bench = NAT64Bench {
            $0.filtering = seed % 2 == 0 ? .addressDependent : .endpointIndependent
            $0.pool = ["198.51.100.1", "198.51.100.2", "198.51.100.3"].compactMap { IPv4Address($0) }
            $0.ports = 1024...1535
            $0.maximumSessions = 400
        }
        // Client and port to public address and port, as long as both live.
        var model: [String: [UInt8]] = [:]
        var forwarded = 0
        for round in 0..<4000 {
            let client = "2001:db8:1::\(Int.random(in: 1...20, using: &generator))"
            let port = Int.random(in: 1000...1040, using: &generator)
            let server = "2001:db8:64::192.0.2.\(Int.random(in: 1...9, using: &generator))"
            switch Int.random(in: 0..<10, using: &generator) {
            case 0:
                for result in bench.wait(seconds: UInt64.random(in: 0...120, using: &generator)) {
                    #expect(result.packet != nil, "seed \(seed)")
                }
                let held = Set(bench.sessions().map { "\($0.client) \($0.clientPort)" })
                #expect(held.count == bench.nat.mappingCount, "seed \(seed), round \(round)")
                model = model.filter { held.contains($0.key) }
            case 1:
                // From outside, to any port: found or not, it may not break anything.
                let publicPort = Int.random(in: 1024...1535, using: &generator)
                _ = bench.send(NAT64Bench.udp4(publicPort, from: "192.0.2.\(Int.random(in: 1...9, using: &generator))"))
            default:
                guard let packet = bench.send(NAT64Bench.udp6(port, to: server, 53, from: client)).packet else {
                    continue
                }
                forwarded += 1
                let key = "\(client) \(port)"
                let place = Array(packet[12..<16] + packet[20..<22])
                if let known = model[key] { #expect(known == place, "seed \(seed): \(key) has moved") }
                #expect(
                    !model.contains { $0.key != key && $0.value == place }, "seed \(seed): \(key) shares a port")
                model[key] = place
            }
            #expect(bench.nat.sessionCount <= 400)
        }
        #expect(forwarded > 1000, "hardly anything was tested")
        #expect(bench.nat.sessionCount == bench.sessions().count)
        _ = bench.wait(seconds: 301)
        _ = bench.wait(seconds: 1)
        #expect(bench.nat.sessionCount == 0, "seed \(seed)")
        #expect(bench.nat.mappingCount == 0, "seed \(seed)")
        #expect(bench.nat.clientCount == 0, "seed \(seed)")
    }

    @Test(arguments: UInt64(1)...3)
    func `survives any bytes`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var bench = NAT64Bench()
        let (client, server6) = (NAT64Bench.client, NAT64Bench.server6)
        let sent = TestPackets.ipv4(
            NAT64Bench.pool, NAT64Bench.server, proto: 17,
            TestPackets.udp(NAT64Bench.pool, NAT64Bench.server, (40000, 53), [1, 2, 3]))
        let corpus = [
            NAT64Bench.udp6(40000), NAT64Bench.udp4(40000), NAT64Bench.tcp6(50000, flags: 2),
            NAT64Bench.tcp4(50000, flags: 0x12),
            TestPackets.ipv6(
                client, server6, next: 58, TestPackets.icmpv6(client, server6, 128, 0, [0, 7, 0, 1], [9])),
            TestPackets.ipv4("203.0.113.9", NAT64Bench.pool, proto: 1, TestPackets.icmpv4(11, 0, [0, 0, 0, 0], sent)),
            TestPackets.ipv6(client, server6, next: 44, [17, 0, 0, 1, 0, 0, 0, 9] + [UInt8](repeating: 1, count: 64)),
        ]
        for round in 0..<8000 {
            guard var packet = corpus.randomElement(using: &generator) else { continue }
            for _ in 0..<Int.random(in: 0...3, using: &generator) {
                packet[Int.random(in: 0..<packet.count, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            if Int.random(in: 0..<8, using: &generator) == 0 {
                packet.removeLast(Int.random(in: 0..<packet.count, using: &generator))
            }
            _ = bench.send(packet)
            if round % 100 == 0 { _ = bench.wait(seconds: .random(in: 0...30, using: &generator)) }
        }
        for _ in 0..<4 { _ = bench.wait(seconds: 7500) }
        #expect(bench.nat.sessionCount == 0, "seed \(seed)")
        #expect(bench.nat.clientCount == 0, "seed \(seed)")
    }
}
