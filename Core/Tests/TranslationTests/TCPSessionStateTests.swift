import Packet
import Testing
import Translation

struct `TCP sessions` {
    @Test(arguments: [
        // RFC 6146 §3.5.2.2, state by state
        (
            TCPSessionState.ipv4Init, Side.ipv6, TCPFlags.syn, TCPSessionState.established,
            TCPSessionState.Lifetime.established
        ),
        (.ipv4Init, .ipv4, .syn, .ipv4Init, .unchanged),
        (.ipv4Init, .ipv6, .ack, .ipv4Init, .unchanged),
        (.ipv6Init, .ipv4, .syn, .established, .established),
        (.ipv6Init, .ipv6, .syn, .ipv6Init, .transitory),
        (.ipv6Init, .ipv4, .ack, .ipv6Init, .unchanged),
        (.ipv6Init, .ipv4, .rst, .ipv6Init, .unchanged),
        (.established, .ipv4, .ack, .established, .established),
        (.established, .ipv4, .fin, .ipv4Finished, .established),
        (.established, .ipv6, .fin, .ipv6Finished, .established),
        (.established, .ipv4, .rst, .transitory, .transitory),
        (.established, .ipv6, .rst, .transitory, .transitory),
        (.ipv4Finished, .ipv6, .fin, .finished, .transitory),
        (.ipv4Finished, .ipv4, .fin, .ipv4Finished, .established),
        (.ipv4Finished, .ipv6, .ack, .ipv4Finished, .established),
        (.ipv4Finished, .ipv6, .rst, .ipv4Finished, .transitory),  // RFC 7857 §2.2
        (.ipv6Finished, .ipv4, .fin, .finished, .transitory),
        (.ipv6Finished, .ipv6, .ack, .ipv6Finished, .established),
        (.ipv6Finished, .ipv4, .rst, .ipv6Finished, .transitory),
        (.finished, .ipv4, .ack, .finished, .unchanged),
        (.finished, .ipv6, .fin, .finished, .unchanged),
        (.finished, .ipv4, .syn.union(.ack), .finished, .unchanged),
        (.finished, .ipv6, .syn, .ipv6Init, .transitory),  // the next connection
        (.finished, .ipv4, .syn, .ipv4Init, .transitory),
        (.transitory, .ipv4, .rst, .transitory, .unchanged),
        (.transitory, .ipv6, .ack, .established, .established),
    ])
    func `go through the states of the RFC`(
        state: TCPSessionState, side: Side, flags: TCPFlags, next: TCPSessionState,
        lifetime: TCPSessionState.Lifetime
    ) {
        let result = state.after(flags, from: side)
        #expect(result.state == next)
        #expect(result.lifetime == lifetime)
    }

    @Test
    func `open, close, and are forgotten`() throws {
        var bench = NAT64Bench()
        let syn = bench.send(NAT64Bench.tcp6(50000, flags: 2))
        #expect(syn.ports?.source == 50000)
        #expect(bench.sessions().first?.state == .ipv6Init)
        _ = bench.send(NAT64Bench.tcp4(50000, flags: 0x12))
        #expect(bench.sessions().first?.state == .established)
        #expect(bench.sessions().first?.expires == UInt32(8440))
        _ = bench.send(NAT64Bench.tcp6(50000, flags: 0x11))
        _ = bench.send(NAT64Bench.tcp4(50000, flags: 0x11))
        #expect(bench.sessions().first?.state == .finished)
        #expect(bench.sessions().first?.expires == UInt32(1240))
        #expect(bench.wait(seconds: 239) == [])
        #expect(bench.nat.sessionCount == 1)
        #expect(bench.wait(seconds: 2) == [])
        #expect(bench.nat.sessionCount == 0)
        #expect(bench.nat.mappingCount == 0)
        #expect(bench.nat.clientCount == 0)
        // What comes late finds nothing.
        guard case .reply(_, .noMapping) = bench.send(NAT64Bench.tcp4(50000, flags: 0x10)) else {
            Issue.record("a packet of a forgotten session went through")
            return
        }
        #expect(bench.send(NAT64Bench.tcp6(50000, flags: 0x10)) == .drop(.noMapping))
    }

    @Test
    func `with the ports of one that has just ended live as long as any other`() {
        var bench = NAT64Bench()
        for _ in 1...2 {
            _ = bench.send(NAT64Bench.tcp6(50000, flags: 2))
            _ = bench.send(NAT64Bench.tcp4(50000, flags: 0x12))
            #expect(bench.sessions().first?.state == .established)
            _ = bench.wait(seconds: 241)
            #expect(bench.send(NAT64Bench.tcp6(50000, flags: 0x10)).packet != nil)
            #expect(bench.send(NAT64Bench.tcp4(50000, flags: 0x10)).packet != nil)
            _ = bench.send(NAT64Bench.tcp6(50000, flags: 0x11))
            _ = bench.send(NAT64Bench.tcp4(50000, flags: 0x11))
            #expect(bench.sessions().map(\.state) == [.finished])
        }
    }

    @Test
    func `that are reset after one side has closed are forgotten soon`() {
        var bench = NAT64Bench()
        _ = bench.send(NAT64Bench.tcp6(50000, flags: 2))
        _ = bench.send(NAT64Bench.tcp4(50000, flags: 0x12))
        _ = bench.send(NAT64Bench.tcp4(50000, flags: 0x11))
        _ = bench.send(NAT64Bench.tcp6(50000, flags: 0x14))
        #expect(bench.wait(seconds: 241) == [])
        #expect(bench.nat.mappingCount == 0)
    }

    @Test
    func `that fall silent are asked for before they are forgotten`() {
        var bench = NAT64Bench()
        _ = bench.wait(seconds: 0)
        _ = bench.send(NAT64Bench.tcp6(50000, flags: 2))
        _ = bench.send(NAT64Bench.tcp4(50000, flags: 0x12))
        let probes = bench.wait(seconds: 7441)
        let segment = TestPackets.transport(
            NAT64Bench.server6, NAT64Bench.client, proto: 6, checksumAt: 16,
            TestPackets.word(443) + TestPackets.word(50000) + [0, 0, 0, 0, 0, 0, 0, 0, 0x50, 16, 0, 0, 0, 0, 0, 0])
        let probe = TestPackets.ipv6(NAT64Bench.server6, NAT64Bench.client, next: 6, segment)
        #expect(probes == [.forward(probe)])
        #expect(bench.sessions().first?.state == .transitory)
        // The client answers, and the session goes on.
        _ = bench.send(NAT64Bench.tcp6(50000, flags: 16))
        #expect(bench.sessions().first?.state == .established)
        #expect(bench.wait(seconds: 7441).count == 1)
        #expect(bench.wait(seconds: 241) == [])
        #expect(bench.nat.sessionCount == 0)
    }
}
