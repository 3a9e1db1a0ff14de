import Addresses
import Translation

/// A NAT64 of the tests with its own clock, and packets of its clients and of the hosts that they talk to.
struct NAT64Bench: ~Copyable {
    static let pool = "198.51.100.1"
    static let client = "2001:db8:1::10"
    static let server = "192.0.2.33"
    static let server6 = "2001:db8:64::192.0.2.33"

    var nat: NAT64
    var milliseconds: UInt64 = 1_000_000

    init(
        _ timeouts: SessionTimeouts = SessionTimeouts(), _ change: (inout NAT64Configuration) -> Void = { _ in }
    ) {
        var configuration = NAT64Configuration(
            prefix: Net.prefix, pool: [IPv4Address(NAT64Bench.pool)].compactMap(\.self), timeouts: timeouts,
            maximumSessions: 1000, secret: 42, options: Net.options { $0.repliesPerSecond = 1_000_000 })
        change(&configuration)
        nat = NAT64(configuration)
    }

    mutating func send(_ packet: [UInt8], offload: PacketOffload = .none) -> Result {
        let now = Timestamp(milliseconds: milliseconds)
        return Result(packet) { nat.translate(&$0, packet: $1, offload: offload, at: now) }
    }

    /// What time brings, until it brings nothing.
    mutating func wait(seconds: UInt64) -> [Result] {
        milliseconds += seconds * 1000
        let now = Timestamp(milliseconds: milliseconds)
        var results: [Result] = []
        while true {
            var isDone = false
            let result = Result([UInt8](repeating: 0, count: 2048)) { buffer, _ in
                guard let outcome = nat.pending(&buffer, at: now) else {
                    isDone = true
                    return .drop(.malformed)
                }
                return outcome
            }
            if isDone { return results }
            results.append(result)
        }
    }

    /// A UDP datagram of a client.
    static func udp6(
        _ port: Int, to server: String = server6, _ serverPort: Int = 53, from client: String = client,
        _ data: [UInt8] = [1, 2, 3]
    ) -> [UInt8] {
        TestPackets.ipv6(client, server, next: 17, TestPackets.udp(client, server, (port, serverPort), data))
    }

    /// A UDP datagram of a server.
    static func udp4(_ port: Int, from server: String = server, _ serverPort: Int = 53) -> [UInt8] {
        TestPackets.ipv4(server, pool, proto: 17, TestPackets.udp(server, pool, (serverPort, port), [4, 5]))
    }

    static func tcp6(_ port: Int, flags: UInt8) -> [UInt8] {
        TestPackets.ipv6(
            client, server6, next: 6, TestPackets.tcp(client, server6, (port, 443), flags: flags, []))
    }

    static func tcp4(_ port: Int, flags: UInt8) -> [UInt8] {
        TestPackets.ipv4(server, pool, proto: 6, TestPackets.tcp(server, pool, (443, port), flags: flags, []))
    }

    func sessions() -> [SessionRecord] {
        var records: [SessionRecord] = []
        nat.forEachSession { records.append($0) }
        return records
    }
}

extension Result {
    /// The ports of a forwarded TCP or UDP packet without extension headers.
    var ports: (source: Int, destination: Int)? {
        guard let packet else { return nil }
        let transport = packet[0] >> 4 == 4 ? 20 : 40
        return (
            Int(packet[transport]) << 8 | Int(packet[transport + 1]),
            Int(packet[transport + 2]) << 8 | Int(packet[transport + 3])
        )
    }
}
