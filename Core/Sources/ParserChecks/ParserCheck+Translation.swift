import Addresses
import Packet
import Translation

extension ParserCheck {
    /// The translators, of which every byte from a network passes one.
    static let translation: [ParserCheck] = [ParserCheck("translation", translate)]

    /// A client's address and the one that stands for it, the public addresses, and the prefix.
    private static let pair = ExplicitAddressMapping(
        ipv4: IPPrefix("198.51.100.10/32") ?? unspecified, ipv6: IPPrefix("2001:db8:1::10/128") ?? unspecified)
    private static let pool = ["198.51.100.1", "198.51.100.2"].compactMap(IPv4Address.init)
    private static let prefix = TranslationPrefix(IPPrefix("2001:db8:64::/96") ?? unspecified)
    private static let unspecified = IPPrefix(.unspecified(.ipv6), length: 0)

    /// Every packet is forwarded, held, answered or counted under one reason, and what leaves tells its own length.
    ///
    /// The first byte chooses the translator; packets follow, each behind its length in two bytes.
    private static func translate(_ bytes: [UInt8]) -> String? {
        guard let choices = bytes.first else { return nil }
        let packets = packets(bytes.dropFirst())
        let step: UInt64 = choices & 64 == 0 ? 1 : 10_000
        let options = TranslationOptions(
            ipv4MTU: choices & 1 == 0 ? 1500 : 68, ipv6MTU: 1500, makesUDPChecksums: choices & 2 == 0,
            ipv4Address: IPv4Address("198.51.100.1"), ipv6Address: IPv6Address("2001:db8:1::1"),
            routerIPv4Address: choices & 4 == 0 ? IPv4Address("198.51.100.1") : nil)
        if choices & 8 == 0 {
            let mapper = AddressMapper(explicit: [pair].compactMap(\.self), prefix: prefix, embedsNonGlobal: true)
            var translator = StatelessTranslator(mapper: mapper, options: options)
            return problem(&translator, packets, step: step)
        }
        var configuration = NAT64Configuration(
            prefix: prefix ?? .wellKnown, pool: pool, ports: 1024...1039,
            filtering: choices & 16 == 0 ? .endpointIndependent : .addressDependent, maximumSessions: 8,
            mappingsPerClient: 4, maximumHeldFragments: 2, maximumHeldSYNs: 2, embedsNonGlobal: true, secret: 64,
            options: options)
        configuration.clientPrefixLength = choices & 32 == 0 ? 128 : 64
        var translator = NAT64(configuration)
        return problem(&translator, packets, step: step)
    }

    /// The packets that some bytes hold; the last one takes what is left of them.
    private static func packets(_ bytes: ArraySlice<UInt8>) -> [[UInt8]] {
        var packets: [[UInt8]] = []
        var rest = bytes
        while rest.count >= 2, packets.count < 64 {
            let length = Int(rest[rest.startIndex]) << 8 | Int(rest[rest.startIndex + 1])
            packets.append(Array(rest.dropFirst(2).prefix(length)))
            rest = rest.dropFirst(2 + length)
        }
        return packets
    }

    private static func problem<Translator: PacketTranslator & ~Copyable>(
        _ translator: inout Translator, _ packets: [[UInt8]], step: UInt64
    ) -> String? {
        var now = Timestamp(milliseconds: 1_000_000)
        for packet in packets {
            let first = TranslationOptions.headroom
            var memory = [UInt8](repeating: 0, count: first) + packet
            let place = first..<(first + packet.count)
            if let problem = problem(&memory, { translator.translate(&$0, packet: place, offload: .none, at: now) }) {
                return problem
            }
            now.milliseconds += step
            if let problem = drain(&translator, at: now) { return problem }
        }
        // By then nothing waits any more.
        now.milliseconds += 10_000
        if let problem = drain(&translator, at: now) { return problem }
        let counters = translator.counters
        let dropped = DropReason.allCases.reduce(0) { $0 + counters.drops($1) }
        let forwarded = counters.packets(to: .ipv4) + counters.packets(to: .ipv6)
        guard !translator.holdsPackets else { return "packets wait for ever" }
        guard forwarded + dropped == packets.count else {
            return "of \(packets.count) packets \(forwarded) are counted as forwarded and \(dropped) as dropped"
        }
        return nil
    }

    /// Takes what time has brought.
    private static func drain<Translator: PacketTranslator & ~Copyable>(
        _ translator: inout Translator, at now: Timestamp
    ) -> String? {
        var isDone = false
        while !isDone {
            var memory = [UInt8](repeating: 0, count: 4096)
            let problem = problem(&memory) { buffer in
                guard let outcome = translator.pending(&buffer, at: now) else {
                    isDone = true
                    return .held
                }
                return outcome
            }
            if let problem { return problem }
        }
        return nil
    }

    /// What is wrong with what leaves a translator.
    private static func problem(_ memory: inout [UInt8], _ body: (inout MutableRawSpan) -> Outcome) -> String? {
        var elements = memory.mutableSpan
        var span = unsafe elements.mutableBytes
        switch body(&span) {
        case .forward(let range, _), .segments(let range, _, _), .reply(let range, _):
            return problem(span.bytes.extracting(range))
        case .fragments(var fragmenter):
            while let piece = fragmenter.next(in: &span) {
                if let problem = problem(span.bytes.extracting(piece)) { return problem }
            }
            return nil
        case .handOver: return "a packet is handed over to nobody"
        case .held, .drop: return nil
        }
    }

    private static func problem(_ packet: RawSpan) -> String? {
        if let view = IPv4Packet(packet) {
            return view.totalLength == packet.byteCount && view.hasValidChecksum ? nil : "an IPv4 header is wrong"
        }
        guard let view = IPv6Packet(packet) else { return "what left is no packet" }
        return view.totalLength == packet.byteCount ? nil : "an IPv6 packet has another length than it says"
    }
}
