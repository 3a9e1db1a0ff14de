import Addresses
import Packet
import Testing
import Wire

struct `IPv4 headers` {
    /// A header of the textbooks: 60 bytes of TCP from 172.16.10.99 to 172.16.10.12, with its checksum 0xb1e6.
    private let example: [UInt8] = [
        0x45, 0x00, 0x00, 0x3C,  // version 4, 5 words; type of service; 60 bytes
        0x1C, 0x46, 0x40, 0x00,  // identification; don't fragment
        0x40, 0x06, 0xB1, 0xE6,  // 64 hops; TCP; checksum
        0xAC, 0x10, 0x0A, 0x63,  // source
        0xAC, 0x10, 0x0A, 0x0C,  // destination
    ]

    @Test
    func `are read and written`() {
        let bytes = example + [UInt8](repeating: 7, count: 45)
        guard let view = IPv4Packet(bytes.span.bytes) else {
            Issue.record("the packet is refused")
            return
        }
        let (length, isValid, header) = (view.totalLength, view.hasValidChecksum, view.header)
        #expect(length == 60)
        #expect(isValid)
        #expect(header.source.description == "172.16.10.99")
        #expect(header.destination.description == "172.16.10.12")
        #expect(header.protocol == .tcp)
        #expect(header.dontFragment)
        #expect(header.fragment.isWhole)
        var written = [UInt8](repeating: 0, count: 20)
        var elements = written.mutableSpan
        var span = elements.mutableBytes
        header.write(to: &span, at: 0)
        #expect(written == example)
    }

    @Test(arguments: 0..<60)
    func `of packets cut short are refused`(count: Int) {
        let bytes = Array((example + [UInt8](repeating: 7, count: 40)).prefix(count))
        let isPacket = if IPv4Packet(bytes.span.bytes) != nil { true } else { false }
        #expect(!isPacket)
    }

    @Test(arguments: [
        ([UInt8](), false),
        ([131, 7, 4, 1, 2, 3, 4, 0], true),  // loose source route, at its first address
        ([131, 7, 8, 1, 2, 3, 4, 0], false),  // the same, done
        ([1, 1, 1, 137, 7, 4, 1, 2, 3, 4, 0, 0], true),  // strict, behind no-operations
        ([0, 131, 7, 4], false),  // behind the end of the options
        ([68, 4, 5, 0, 131, 3, 4, 0], false),  // an empty route behind a timestamp
        ([131, 1, 4, 0], false),  // an impossible length
        ([131, 200, 4, 0], false),  // a length beyond the header
        ([1, 1, 1, 131], false),  // a kind without length
    ])
    func `tell of routes not yet taken`(options: [UInt8], expected: Bool) {
        var bytes = example + options
        bytes[0] = 0x40 | UInt8(5 + options.count / 4)
        bytes[3] = UInt8(bytes.count)
        guard let view = IPv4Packet(bytes.span.bytes) else {
            Issue.record("the packet is refused")
            return
        }
        let found = view.hasUnexpiredSourceRoute
        #expect(found == expected)
    }
}

struct `IPv6 headers` {
    private func ipv6Header(of bytes: [UInt8]) -> IPv6Header? {
        guard let view = IPv6Packet(bytes.span.bytes) else { return nil }
        return view.header
    }

    private func packet(_ next: UInt8, _ payload: [UInt8]) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 40)
        var elements = bytes.mutableSpan
        var span = elements.mutableBytes
        IPv6Header(
            trafficClass: 0xB8, flowLabel: 0x12345, payloadLength: payload.count,
            nextHeader: IPProtocol(rawValue: next), hopLimit: 7, source: IPv6Address(rawValue: 1 << 64 | 5),
            destination: IPv6Address(rawValue: 9 << 100)
        ).write(to: &span, at: 0)
        return bytes + payload
    }

    @Test
    func `are read as they were written`() throws {
        let bytes = packet(17, [1, 2, 3, 4, 5, 6, 7, 8])
        let header = try #require(ipv6Header(of: bytes))
        #expect(header.trafficClass == 0xB8)
        #expect(header.flowLabel == 0x12345)
        #expect(header.payloadLength == 8)
        #expect(header.nextHeader == .udp)
        #expect(header.hopLimit == 7)
        #expect(header.source.rawValue == UInt128(1) << 64 | 5)
        #expect(header.destination.rawValue == UInt128(9) << 100)
        for count in 0..<bytes.count {
            let short = Array(bytes.prefix(count))
            #expect(ipv6Header(of: short) == nil)
        }
    }

    @Test
    func `lead through extension headers to the transport`() throws {
        let bytes = packet(
            0,
            [
                43, 0, 1, 4, 0, 0, 0, 0,  // hop-by-hop options; routing comes next
                60, 1, 0, 0,
            ] + [UInt8](repeating: 0, count: 12)  // routing, 16 bytes, at its end
                + [
                    44, 0, 1, 4, 0, 0, 0, 0,  // destination options
                    6, 0, 0x01, 0x01, 0xDE, 0xAD, 0xBE, 0xEF,  // fragment at 256, more follow
                    1, 2, 3, 4,
                ])
        let chain = try IPv6HeaderChain.follow(bytes.span.bytes, from: .hopByHop)
        #expect(chain.transport == .tcp)
        #expect(chain.transportOffset == 80)
        #expect(chain.openRoute == nil)
        #expect(chain.fragment?.position == FragmentPosition(offset: 256, hasMore: true))
        #expect(chain.fragment?.identification == 0xDEAD_BEEF)
        for count in 40..<80 {
            let short = Array(bytes.prefix(count))
            #expect(throws: IPv6HeaderChain.Failure.malformed) {
                try IPv6HeaderChain.follow(short.span.bytes, from: .hopByHop)
            }
        }
    }

    @Test
    func `name a routing header with segments left`() throws {
        let bytes = packet(43, [17, 0, 0, 3, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8])
        #expect(try IPv6HeaderChain.follow(bytes.span.bytes, from: .routing).openRoute == 43)
    }

    @Test
    func `are not followed without end`() {
        let options: [UInt8] = [60, 0, 1, 4, 0, 0, 0, 0]
        let many = packet(60, Array([[UInt8]](repeating: options, count: 9).joined()) + options)
        #expect(throws: IPv6HeaderChain.Failure.tooLong) {
            try IPv6HeaderChain.follow(many.span.bytes, from: .destinationOptions)
        }
        let twice = packet(44, [44, 0, 0, 0, 0, 0, 0, 1, 17, 0, 0, 0, 0, 0, 0, 1])
        #expect(throws: IPv6HeaderChain.Failure.malformed) {
            try IPv6HeaderChain.follow(twice.span.bytes, from: .fragment)
        }
    }

    @Test
    func `of a fragment are written`() {
        var bytes = [UInt8](repeating: 0, count: 8)
        var elements = bytes.mutableSpan
        var span = elements.mutableBytes
        IPv6FragmentHeader(
            nextHeader: .udp, position: FragmentPosition(offset: 1448, hasMore: true), identification: 0x1234
        ).write(to: &span, at: 0)
        #expect(bytes == [17, 0, 0x05, 0xA9, 0, 0, 0x12, 0x34])
    }
}
