import Addresses
import ClusterNames
import DNSMessage
import DNSResolution
import KubernetesAPI
import TestSupport
import Testing

@Suite struct `Changes of the zone` {
    /// Names that exist in some state or other of the property test.
    private static let questions: [DNSQuestion] = {
        var questions: [DNSQuestion] = []
        for namespace in 0..<3 {
            questions.append(DNSQuestion(name: Fixtures.name("n\(namespace).svc.cluster.local"), type: .a))
            for service in 0..<4 {
                let base = "s\(service).n\(namespace).svc.cluster.local"
                for name in [
                    base, "_p._tcp.\(base)", "_tcp.\(base)", "h.\(base)", "10-0-0-1.\(base)", "10-0-0-2.\(base)",
                ] {
                    for type in [DNSRecordType.a, .aaaa, .srv] {
                        questions.append(DNSQuestion(name: Fixtures.name(name), type: type))
                    }
                }
            }
        }
        for octet in 0..<4 {
            questions.append(DNSQuestion(name: Fixtures.name("\(octet).0.0.10.in-addr.arpa"), type: .ptr))
        }
        return questions
    }()

    @Test(arguments: UInt64(1)...6)
    func `one by one lead to the same zone as all at once`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var model = Fixtures.emptyModel()
        var services: [ObjectKey: Service] = [:]
        var slices: [ObjectKey: EndpointSlice] = [:]
        for step in 0..<120 {
            let namespace = "n\(Int.random(in: 0..<3, using: &generator))"
            let name = "s\(Int.random(in: 0..<4, using: &generator))"
            if Bool.random(using: &generator) {
                let key = ObjectKey(namespace: namespace, name: name)
                let service = randomService(name, namespace, &generator)
                services[key] = service
                model.setService(key, service)
            } else {
                let sliceName = "e\(Int.random(in: 0..<6, using: &generator))"
                let key = ObjectKey(namespace: namespace, name: sliceName)
                let slice = randomSlice(sliceName, of: name, namespace, &generator)
                model.setSlice(old: slices[key], new: slice)
                slices[key] = slice
            }
            guard step % 3 == 2 else { continue }
            model.update(isComplete: true, now: 1)
            var fresh = Fixtures.emptyModel()
            for (key, service) in services { fresh.setService(key, service) }
            for slice in slices.values { fresh.setSlice(old: nil, new: slice) }
            fresh.update(isComplete: true, now: 1)
            #expect(model.zone.nameCount == fresh.zone.nameCount, "seed \(seed) step \(step)")
            let (one, other) = (ResolverBench(model.zone), ResolverBench(fresh.zone))
            for question in Self.questions {
                let answers = try [one, other].map { try comparable($0.ask(question)) }
                #expect(answers[0] == answers[1], "seed \(seed) step \(step) \(question.name)")
            }
        }
    }

    @Test func `leave earlier copies as they were`() throws {
        var model = Fixtures.emptyModel()
        model.update(isComplete: true, now: 1)
        let before = model.zone
        let service = Fixtures.service("web", ips: ["10.96.0.20"])
        model.setService(service.key, service)
        let changes = [2, 3].map { model.update(isComplete: true, now: $0) }
        #expect(changes == [true, false])
        let question = DNSQuestion(name: Fixtures.name("web.default.svc.cluster.local"), type: .a)
        #expect(try ResolverBench(before).ask(question).responseCode == .nameError)
        #expect(try ResolverBench(model.zone).ask(question).responseCode == .noError)
        #expect(model.zone.serial == 2)
    }

    private func randomService(_ name: String, _ namespace: String, _ generator: inout SeededGenerator) -> Service? {
        let ports: [(String?, String, Int)] = [("p", "TCP", Int.random(in: 1...3, using: &generator))]
        switch Int.random(in: 0..<5, using: &generator) {
        case 0: return nil
        case 1: return Fixtures.service(name, namespace: namespace, ips: ["None"], ports: ports)
        case 2: return Fixtures.service(name, namespace: namespace, ips: [], type: "ExternalName", externalName: "a.b")
        default:
            let ip = "10.0.0.\(Int.random(in: 0..<4, using: &generator))"
            return Fixtures.service(name, namespace: namespace, ips: [ip, "fd00::1"], ports: ports)
        }
    }

    private func randomSlice(
        _ name: String, of service: String, _ namespace: String, _ generator: inout SeededGenerator
    ) -> EndpointSlice? {
        guard Int.random(in: 0..<4, using: &generator) > 0 else { return nil }
        let isIPv4 = Bool.random(using: &generator)
        let endpoints = (0..<Int.random(in: 0..<3, using: &generator)).map { _ -> (String, String?, Bool?) in
            let number = Int.random(in: 0..<4, using: &generator)
            return (
                isIPv4 ? "10.0.0.\(number)" : "fd00::\(number)", Bool.random(using: &generator) ? "h" : nil,
                Int.random(in: 0..<4, using: &generator) > 0
            )
        }
        return Fixtures.slice(
            name, of: service, namespace: namespace, type: isIPv4 ? "IPv4" : "IPv6", endpoints: endpoints,
            ports: [("p", "TCP", Int.random(in: 1...2, using: &generator))])
    }

    /// The answer without the order of its records.
    private func comparable(_ message: DNSMessage) -> [String] {
        ["\(message.responseCode)"] + message.texts.sorted() + message.additionals.map(\.data.text).sorted()
    }
}

extension ResolverBench {
    fileprivate func ask(_ question: DNSQuestion) throws -> DNSMessage {
        try ask(DNSMessage.query(id: 1, name: question.name, type: question.type).serialized(), isDatagram: false)
    }
}
