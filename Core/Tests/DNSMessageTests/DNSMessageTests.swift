import Addresses
import DNSMessage
import TestSupport
import Testing

/// Messages with every kind of record, used whole and damaged.
enum Corpus {
    static func name(_ text: String) -> DNSName { DNSName(text) ?? .root }

    static let response: DNSMessage = {
        var message = DNSMessage(id: 0x1234, flags: [.response, .authoritative, .recursionDesired])
        let web = name("web.default.svc.cluster.local")
        message.questions = [DNSQuestion(name: web, type: .any)]
        message.answers = [
            ResourceRecord(name: web, ttl: 30, data: .a(IPv4Address(rawValue: 0x0A60_0001))),
            ResourceRecord(name: web, ttl: 30, data: .aaaa(IPv6Address(rawValue: 1 << 127 | 0xA))),
            ResourceRecord(name: name("x.default.svc.cluster.local"), ttl: 5, data: .cname(name("example.com"))),
            ResourceRecord(name: name("1.0.96.10.in-addr.arpa"), ttl: 30, data: .ptr(web)),
            ResourceRecord(
                name: name("_http._tcp.web.default.svc.cluster.local"), ttl: 30,
                data: .srv(priority: 0, weight: 50, port: 8080, target: web)),
            ResourceRecord(name: name("dns-version.cluster.local"), ttl: 28800, data: .txt([Array("1.1.0".utf8), []])),
        ]
        message.authorities = [
            ResourceRecord(name: name("cluster.local"), ttl: 30, data: .ns(name("ns.dns.cluster.local"))),
            ResourceRecord(
                name: name("cluster.local"), ttl: 30,
                data: .soa(
                    StartOfAuthority(
                        primary: name("ns.dns.cluster.local"), mailbox: name("hostmaster.cluster.local"), serial: 7,
                        refresh: 7200, retry: 1800, expire: 86400, minimum: 30))),
        ]
        message.additionals = [
            ResourceRecord(name: .root, ttl: 1, data: .other(DNSRecordType(rawValue: 257), [0, 5, 1, 2, 3]))
        ]
        message.extendedDNS = ExtendedDNS(payloadSize: 1232, extendedCode: 1, wantsDNSSEC: true)
        return message
    }()
}

@Suite struct `Messages` {
    @Test func `come back as they were written`() throws {
        let bytes = Corpus.response.serialized()
        #expect(try DNSMessage(parsing: bytes) == Corpus.response)
        #expect(Corpus.response.responseCode == .badVersion)
    }

    @Test func `are compressed byte by byte as expected`() throws {
        var message = DNSMessage(id: 0xABCD, flags: [.response])
        let a = Corpus.name("a.b")
        message.questions = [DNSQuestion(name: a, type: .cname)]
        message.answers = [ResourceRecord(name: a, ttl: 258, data: .cname(Corpus.name("c.b")))]
        let golden: [UInt8] = [
            0xAB, 0xCD, 0x80, 0x00, 0, 1, 0, 1, 0, 0, 0, 0,  // header
            1, 0x61, 1, 0x62, 0, 0, 5, 0, 1,  // a.b CNAME IN
            0xC0, 12, 0, 5, 0, 1, 0, 0, 1, 2, 0, 4,  // pointer to a.b, CNAME IN, 258 s, 4 bytes
            1, 0x63, 0xC0, 14,  // c, pointer to b
        ]
        #expect(message.serialized() == golden)
        #expect(try DNSMessage(parsing: golden) == message)
    }

    @Test(
        arguments: [
            // Where the name's bytes stand at offset 12, with what follows.
            ([0xC0, 12], DNSError.Code.badPointer), ([0xC0, 14, 0], .badPointer), ([1, 0x61, 0xC0, 12], .badPointer),
            ([0xC0], .truncated), ([5, 0x61], .truncated), ([], .truncated), ([0x40, 0], .badName),
            ([0x80, 0], .badName),
            ([0, 0, 1], .truncated), ([0xFF, 0xFF], .badPointer),
        ] as [([UInt8], DNSError.Code)])
    func `with bad names are refused`(name: [UInt8], code: DNSError.Code) {
        let bytes: [UInt8] = [0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0] + name
        let error = #expect(throws: DNSError.self) { try DNSMessage(parsing: bytes) }
        #expect(error?.code == code)
    }

    @Test func `hold names that repeat their own labels`() throws {
        var message = DNSMessage(id: 1, flags: [])
        let name = Corpus.name("0.0.0.0.1.0.0.0.0.ip6.arpa")
        message.questions = [DNSQuestion(name: name, type: .ptr)]
        message.answers = [ResourceRecord(name: name, ttl: 1, data: .ptr(Corpus.name("0.0.0.0.ip6.arpa")))]
        #expect(try DNSMessage(parsing: message.serialized()) == message)
    }

    @Test func `with names too long through pointers are refused`() {
        // A name of 4 labels of 63 bytes would be 257 bytes long.
        var bytes: [UInt8] = [0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0]
        for _ in 0..<3 { bytes += [63] + [UInt8](repeating: 0x61, count: 63) }
        bytes += [0, 0, 1, 0, 1]
        bytes += [63] + [UInt8](repeating: 0x62, count: 63) + [0xC0, 12, 0, 1, 0, 1]
        let error = #expect(throws: DNSError.self) { try DNSMessage(parsing: bytes) }
        #expect(error?.code == .badName)
    }

    @Test func `whose record data has the wrong length are refused`() {
        let head: [UInt8] = [0, 1, 0x80, 0, 0, 0, 0, 1, 0, 0, 0, 0]
        for data in [[0, 3, 1, 2, 3], [0, 5, 1, 2, 3, 4, 5]] as [[UInt8]] {
            let bytes = head + [0, 0, 1, 0, 1, 0, 0, 0, 1] + data
            #expect(throws: DNSError.self) { try DNSMessage(parsing: bytes) }
        }
    }

    @Test(arguments: [12, 64, 100, 150, 200, 300, 512])
    func `keep to their limit and say when records are missing`(limit: Int) throws {
        let bytes = Corpus.response.serialized(limit: max(limit, 58))
        #expect(bytes.count <= max(limit, 58))
        let message = try DNSMessage(parsing: bytes)
        #expect(message.extendedDNS == Corpus.response.extendedDNS)
        #expect(message.flags.contains(.truncated) == (message.authorities != Corpus.response.authorities))
        #expect(Corpus.response.answers.starts(with: message.answers))
    }

    @Test(arguments: UInt64(1)...8)
    func `that are damaged give an error or a message, never a trap`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let original = Corpus.response.serialized()
        for _ in 0..<2000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let position = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[position] = 0xC0
                case 1: bytes.removeSubrange(position...)
                default: bytes[position] = UInt8.random(in: 0...255, using: &generator)
                }
                if bytes.isEmpty { bytes = [0] }
            }
            guard let message = try? DNSMessage(parsing: bytes) else { continue }
            let again = try? DNSMessage(parsing: message.serialized())
            #expect(again?.questions == message.questions, "seed \(seed)")
            #expect(again?.answers == message.answers, "seed \(seed)")
        }
    }
}
