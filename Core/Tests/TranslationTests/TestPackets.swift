import Addresses
import Translation

/// Builds packets byte by byte, without the code under test.
enum TestPackets {
    /// Puts a 16-bit number into two bytes.
    static func word(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 0xFF), UInt8(value & 0xFF)] }

    /// The one's complement of the one's complement sum of all 16-bit words.
    static func checksum(_ bytes: [UInt8]) -> Int {
        var sum = 0
        for index in stride(from: 0, to: bytes.count, by: 2) {
            sum += Int(bytes[index]) << 8 | (index + 1 < bytes.count ? Int(bytes[index + 1]) : 0)
        }
        while sum > 0xFFFF { sum = (sum >> 16) + sum & 0xFFFF }
        return ~sum & 0xFFFF
    }

    static func ipv4(
        _ source: String, _ destination: String, proto: UInt8, _ payload: [UInt8], ttl: UInt8 = 64, tos: UInt8 = 0,
        id: Int = 0, flagsAndOffset: Int = 0, options: [UInt8] = []
    ) -> [UInt8] {
        var header: [UInt8] = [0x40 | UInt8(5 + options.count / 4), tos]
        header += word(20 + options.count + payload.count) + word(id) + word(flagsAndOffset)
        header += [ttl, proto, 0, 0] + address(source) + address(destination) + options
        header.replaceSubrange(10..<12, with: word(checksum(header)))
        return header + payload
    }

    static func ipv6(
        _ source: String, _ destination: String, next: UInt8, _ payload: [UInt8], hops: UInt8 = 64,
        trafficClass: UInt8 = 0
    ) -> [UInt8] {
        [0x60 | trafficClass >> 4, trafficClass << 4, 0, 0] + word(payload.count) + [next, hops] + address(source)
            + address(destination) + payload
    }

    /// A transport with its checksum over the pseudo-header; the addresses may be of either family.
    static func transport(
        _ source: String, _ destination: String, proto: UInt8, checksumAt offset: Int, _ bytes: [UInt8]
    ) -> [UInt8] {
        var bytes = bytes
        let pseudo = address(source) + address(destination) + word(0) + word(bytes.count) + [0, proto]
        var value = checksum(pseudo + bytes)
        if proto == 17, value == 0 { value = 0xFFFF }
        bytes.replaceSubrange(offset..<(offset + 2), with: word(value))
        return bytes
    }

    static func udp(_ source: String, _ destination: String, _ ports: (Int, Int), _ data: [UInt8]) -> [UInt8] {
        transport(
            source, destination, proto: 17, checksumAt: 6,
            word(ports.0) + word(ports.1) + word(8 + data.count) + [0, 0] + data)
    }

    static func tcp(
        _ source: String, _ destination: String, _ ports: (Int, Int), flags: UInt8 = 16, _ data: [UInt8]
    ) -> [UInt8] {
        transport(
            source, destination, proto: 6, checksumAt: 16,
            word(ports.0) + word(ports.1) + [0, 0, 0, 9, 0, 0, 0, 8, 0x50, flags, 1, 0, 0, 0, 0, 0] + data)
    }

    /// An ICMP message for IPv4: the first word, the second, and what follows.
    static func icmpv4(_ type: UInt8, _ code: UInt8, _ rest: [UInt8], _ data: [UInt8]) -> [UInt8] {
        var bytes = [type, code, 0, 0] + rest + data
        bytes.replaceSubrange(2..<4, with: word(checksum(bytes)))
        return bytes
    }

    /// An ICMP message for IPv6.
    static func icmpv6(
        _ source: String, _ destination: String, _ type: UInt8, _ code: UInt8, _ rest: [UInt8], _ data: [UInt8]
    ) -> [UInt8] {
        transport(source, destination, proto: 58, checksumAt: 2, [type, code, 0, 0] + rest + data)
    }

    static func address(_ text: String) -> [UInt8] { IPAddress(text)?.bytes ?? [] }

    /// Whether the checksums that stand in a whole packet without extension headers are right.
    static func hasRightChecksums(_ packet: [UInt8]) -> Bool {
        let isIPv4 = packet[0] >> 4 == 4
        let header = isIPv4 ? Int(packet[0] & 15) * 4 : 40
        if isIPv4, checksum(Array(packet[..<header])) != 0 { return false }
        let proto = packet[isIPv4 ? 9 : 6]
        let body = Array(packet[header...])
        let addresses = Array(isIPv4 ? packet[12..<20] : packet[8..<40])
        switch proto {
        case 1: return checksum(body) == 0
        case 6, 17, 58: return checksum(addresses + word(0) + word(body.count) + [0, proto] + body) == 0
        default: return true
        }
    }
}

/// What became of a packet, with the bytes that are to be sent.
enum Result: Equatable {
    case forward([UInt8])
    case segments([UInt8], length: Int)
    case fragments([[UInt8]])
    case reply([UInt8], DropReason)
    case held
    case handOver([UInt8])
    case drop(DropReason)

    /// The one packet that was forwarded.
    var packet: [UInt8]? {
        if case .forward(let bytes) = self { bytes } else { nil }
    }

    /// The packets that were forwarded, in one piece or several.
    var pieces: [[UInt8]] {
        switch self {
        case .forward(let bytes): [bytes]
        case .fragments(let pieces): pieces
        default: []
        }
    }
}

extension Result {
    /// Lets `body` work on a packet in a buffer with headroom and nothing behind it, and copies what comes out.
    init(_ packet: [UInt8], _ body: (inout MutableRawSpan, Range<Int>) -> Outcome) {
        let first = TranslationOptions.headroom
        var memory = [UInt8](repeating: 0xEE, count: first) + packet
        var elements = memory.mutableSpan
        var span = elements.mutableBytes
        switch body(&span, first..<(first + packet.count)) {
        case .forward(let range, _): self = .forward(Array(memory[range]))
        case .segments(let range, _, let length): self = .segments(Array(memory[range]), length: length)
        case .reply(let range, let reason): self = .reply(Array(memory[range]), reason)
        case .held: self = .held
        case .handOver(let range): self = .handOver(Array(memory[range]))
        case .drop(let reason): self = .drop(reason)
        case .fragments(var fragmenter):
            var pieces: [[UInt8]] = []
            while true {
                var elements = memory.mutableSpan
                var span = elements.mutableBytes
                guard let range = fragmenter.next(in: &span) else { break }
                pieces.append(Array(memory[range]))
            }
            self = .fragments(pieces)
        }
    }
}

extension StatelessTranslator {
    mutating func result(
        _ packet: [UInt8], offload: PacketOffload = .none, at milliseconds: UInt64 = 0
    ) -> Result {
        Result(packet) { translate(&$0, packet: $1, offload: offload, at: Timestamp(milliseconds: milliseconds)) }
    }
}

/// The addresses of the tests: an IPv6 host with an explicit IPv4 address, and IPv4 hosts embedded in a prefix.
enum Net {
    static let host6 = "2001:db8:1::10"
    static let host6AsIPv4 = "198.51.100.10"
    static let host4 = "192.0.2.33"
    static let host4AsIPv6 = "2001:db8:64::c000:221"
    static let own4 = "198.51.100.1"
    static let own6 = "2001:db8:1::1"

    static let prefix = TranslationPrefix(prefix("2001:db8:64::/96")) ?? .wellKnown

    static func prefix(_ text: String) -> IPPrefix {
        IPPrefix(text) ?? IPPrefix(.unspecified(.ipv6), length: 0)
    }

    static func options(_ change: (inout TranslationOptions) -> Void = { _ in }) -> TranslationOptions {
        var options = TranslationOptions(
            ipv4Address: IPv4Address(own4), ipv6Address: IPv6Address(own6), routerIPv4Address: IPv4Address(own4))
        change(&options)
        return options
    }

    static func translator(
        _ more: [(String, String)] = [], leadsBack: Bool = true,
        _ change: (inout TranslationOptions) -> Void = { _ in }
    ) -> StatelessTranslator {
        let pairs = [("\(host6AsIPv4)/32", "\(host6)/128")] + more
        let explicit = pairs.compactMap { ExplicitAddressMapping(ipv4: prefix($0.0), ipv6: prefix($0.1)) }
        return StatelessTranslator(
            mapper: AddressMapper(explicit: explicit, prefix: prefix, leadsBack: leadsBack), options: options(change))
    }
}
