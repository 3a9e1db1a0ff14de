// translate-packets KEY=VALUE...: translates packets from standard input, one in hexadecimal a line, and prints what
// becomes of each. The system tests compare it with other translators. With `pool` it is a NAT64, else it has no state.
import Addresses
import Glibc
import Translation

var options = TranslationOptions()
var prefix: TranslationPrefix?
var explicit: [ExplicitAddressMapping] = []
var pool: [IPv4Address] = []

func usage(_ argument: String) -> Never {
    print("translate-packets: \(argument) is not understood")
    exit(2)
}

for argument in CommandLine.arguments.dropFirst() {
    let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
    guard parts.count == 2 else { usage(argument) }
    let value = parts[1]
    switch parts[0] {
    case "prefix":
        guard let network = IPPrefix(value), let translation = TranslationPrefix(network) else { usage(argument) }
        prefix = translation
    case "map":
        let networks = value.split(separator: ",").compactMap { IPPrefix(String($0)) }
        guard networks.count == 2, let mapping = ExplicitAddressMapping(ipv4: networks[0], ipv6: networks[1]) else {
            usage(argument)
        }
        explicit.append(mapping)
    case "pool":
        guard let address = IPv4Address(value) else { usage(argument) }
        pool.append(address)
    case "ipv4-mtu":
        guard let mtu = Int(value) else { usage(argument) }
        options.ipv4MTU = mtu
    case "ipv6-mtu":
        guard let mtu = Int(value) else { usage(argument) }
        options.ipv6MTU = mtu
    case "ipv4-address": options.ipv4Address = IPv4Address(value)
    case "ipv6-address": options.ipv6Address = IPv6Address(value)
    case "router": options.routerIPv4Address = IPv4Address(value)
    default: usage(argument)
    }
}

func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef")
    return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
}

func bytes(_ text: String) -> [UInt8]? {
    let digits = text.compactMap(\.hexDigitValue)
    guard digits.count == text.count, digits.count % 2 == 0 else { return nil }
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

/// What becomes of one packet, as a line of text.
func translation(
    of packet: [UInt8], by translate: (inout MutableRawSpan, Range<Int>) -> Outcome
) -> String {
    let first = TranslationOptions.headroom
    var memory = [UInt8](repeating: 0, count: first) + packet
    var elements = memory.mutableSpan
    var span = elements.mutableBytes
    switch translate(&span, first..<(first + packet.count)) {
    case .forward(let range, _): return "forward \(hexadecimal(Array(memory[range])))"
    case .segments(let range, _, let length): return "segments of \(length) \(hexadecimal(Array(memory[range])))"
    case .reply(let range, let reason): return "reply \(hexadecimal(Array(memory[range]))) \(reason)"
    case .drop(let reason): return "drop \(reason)"
    case .held: return "held"
    case .handOver(let range): return "hand-over \(hexadecimal(Array(memory[range])))"
    case .fragments(var fragmenter):
        var text = "fragments"
        while true {
            var elements = memory.mutableSpan
            var span = elements.mutableBytes
            guard let range = fragmenter.next(in: &span) else { return text }
            text += " " + hexadecimal(Array(memory[range]))
        }
    }
}

/// Translates every line, a tenth of a second after the one before.
func translateLines(by translate: (inout MutableRawSpan, Range<Int>, Timestamp) -> Outcome) {
    var clock = Timestamp(milliseconds: 0)
    while let line = readLine() {
        guard let packet = bytes(line) else { usage(line) }
        clock.milliseconds += 100
        print(translation(of: packet) { translate(&$0, $1, clock) })
    }
}

func translate(_ mapper: AddressMapper, _ options: TranslationOptions) {
    var translator = StatelessTranslator(mapper: mapper, options: options)
    translateLines { translator.translate(&$0, packet: $1, at: $2) }
}

func translate(_ configuration: NAT64Configuration) {
    var nat = NAT64(configuration)
    translateLines { nat.translate(&$0, packet: $1, at: $2) }
}

if pool.isEmpty {
    translate(AddressMapper(explicit: explicit, prefix: prefix, embedsNonGlobal: true), options)
} else {
    translate(
        NAT64Configuration(
            prefix: prefix ?? .wellKnown, pool: pool, embedsNonGlobal: true, secret: 1, options: options))
}
