import Addresses
import DNSMessage
import DNSResolution
import Foundation
import Testing

/// Other servers as the network shows them: a socket that gives what answers the test wants.
@Suite(.serialized)
struct `Questions to another server` {
    private static let upstream = "127.0.0.5"

    /// A query of a client for the A records of a name.
    private func query(_ index: Int) -> [UInt8] {
        var message = DNSMessage(id: UInt16(index), flags: [.recursionDesired])
        message.questions = [DNSQuestion(name: Zones.name("name-\(index).example.test"), type: .a)]
        return message.serialized()
    }

    /// The number in the name that is asked for.
    private func index(_ query: [UInt8]) throws -> Int {
        let label = try DNSMessage(parsing: query).questions[0].name.labels[0].lowercased()
        return try #require(Int(label.dropFirst("name-".count)))
    }

    /// The answer of the other server.
    private func answer(_ query: [UInt8]) throws -> [UInt8] {
        let asked = try DNSMessage(parsing: query)
        var message = DNSMessage(id: asked.id, flags: [.response, .recursionAvailable])
        message.questions = asked.questions
        let address = IPv4Address(rawValue: 0xC000_0200 + UInt32(try index(query)))
        message.answers = [ResourceRecord(name: asked.questions[0].name, ttl: 60, data: .a(address))]
        return message.serialized()
    }

    private func expectAnswers(_ client: TestSocket, _ indices: some Sequence<Int>) throws {
        var left = Set(indices)
        while !left.isEmpty {
            let message = try DNSMessage(parsing: try client.receive())
            #expect(message.answers.map(\.data) == [.a(IPv4Address(rawValue: 0xC000_0200 + UInt32(message.id)))])
            left.remove(Int(message.id))
        }
    }

    @Test func `share ports, few to a port, and each gets its own answer`() throws {
        let far = try TestSocket(bound: Self.upstream, port: 20561, room: 4 << 20)
        let streams = try TestSocket(listeningOn: Self.upstream, port: 20561)
        let server = try RunningServer(Zones.make([]), port: 20562, upstreams: ["\(Self.upstream):20561"])
        defer { server.stop() }
        let client = try TestSocket(bound: "127.0.0.1", room: 4 << 20)
        for index in 0..<200 { client.send(query(index), to: "127.0.0.1", port: 20562) }
        var asked: [Int: (query: [UInt8], port: UInt16)] = [:]
        var messages: [UInt16: Int] = [:]
        while asked.count < 200 {
            let (query, port) = try far.receiveWithPort()
            messages[port, default: 0] += 1
            asked[try index(query)] = (query, port)
        }
        #expect(messages.count >= 4 && messages.values.allSatisfy { $0 <= 64 }, "\(messages)")
        // An answer that comes again says nothing about the others on its port.
        for (place, index) in (0..<200).reversed().enumerated() {
            let (query, port) = try #require(asked[index])
            for _ in 0..<(place < 3 ? 5 : 1) { far.send(try answer(query), to: "127.0.0.1", port: port) }
        }
        try expectAnswers(client, 0..<200)
        #expect(!streams.isAsked)
    }

    @Test func `leave from a new port after a while`() throws {
        let far = try TestSocket(bound: Self.upstream, port: 20563)
        let server = try RunningServer(Zones.make([]), port: 20564, upstreams: ["\(Self.upstream):20563"])
        defer { server.stop() }
        let client = try TestSocket(bound: "127.0.0.1")
        let start = ContinuousClock.now
        var first: UInt16?
        for index in 0... {
            client.send(query(index), to: "127.0.0.1", port: 20564)
            let (question, port) = try far.receiveWithPort()
            far.send(try answer(question), to: "127.0.0.1", port: port)
            try expectAnswers(client, [index])
            first = first ?? port
            if port != first { break }
            try #require(index < 64 && start.duration(to: .now) < .seconds(30))
            usleep(50_000)
        }
        #expect(start.duration(to: .now) >= .seconds(1))
    }

    @Test func `are asked over TCP once somebody guesses at their port`() throws {
        let far = try TestSocket(bound: Self.upstream, port: 20565)
        let streams = try TestSocket(listeningOn: Self.upstream, port: 20565)
        let server = try RunningServer(Zones.make([]), port: 20566, upstreams: ["\(Self.upstream):20565"])
        defer { server.stop() }
        let client = try TestSocket(bound: "127.0.0.1")
        client.send(query(7), to: "127.0.0.1", port: 20566)
        let (question, port) = try far.receiveWithPort()
        for change in UInt8(1)...3 {
            var forged = try answer(question)
            forged[1] ^= change
            far.send(forged, to: "127.0.0.1", port: port)
        }
        let stream = try streams.accept()
        var asked: [UInt8] = []
        while asked.count < 2 || asked.count < 2 + Int(asked[0]) << 8 + Int(asked[1]) { asked += try stream.receive() }
        let reply = try answer(Array(asked[2...]))
        stream.write([UInt8(reply.count >> 8), UInt8(reply.count & 0xFF)] + reply)
        try expectAnswers(client, [7])
    }
}
