import Addresses
import ClusterNames
import DNSMessage
import DNSResolution
import KubernetesAPI
import TestSupport
import Testing

@Suite struct `Endpoints that are named after their addresses` {
    private static let base = "many.default.svc.cluster.local"

    /// A zone with one Service and the given slices of it.
    private static func zone(
        ips: [String] = ["None"], _ slices: [EndpointSlice], others: [Service] = []
    ) -> ClusterNamesModel {
        var model = Fixtures.emptyModel(searches: [])
        for service in [Fixtures.service("many", ips: ips)] + others { model.setService(service.key, service) }
        for slice in slices { model.setSlice(old: nil, new: slice) }
        model.setNamespace("default", exists: true)
        model.update(isComplete: true, now: 1)
        return model
    }

    private static func slice(
        _ name: String, of service: String = "many", _ endpoints: [(String, String?, Bool?)], port: Int = 80
    ) -> EndpointSlice {
        let type = endpoints[0].0.contains(":") ? "IPv6" : "IPv4"
        return Fixtures.slice(name, of: service, type: type, endpoints: endpoints, ports: [("http", "TCP", port)])
    }

    @Test(
        arguments: [
            ("10.0.0.7", "10-0-0-7"), ("0.0.0.0", "0-0-0-0"), ("255.255.255.255", "255-255-255-255"),
            ("fd00::", "fd00--0"), ("::1", "0--1"), ("::", "0--0"), ("fd00:10:244::7", "fd00-10-244--7"),
            ("2001:db8:0:1:1:1:1:1", "2001-db8-0-1-1-1-1-1"), ("2001:db8::1:0:0:1", "2001-db8--1-0-0-1"),
            ("::ffff:10.0.0.1", "0--ffff-a00-1"),
        ])
    func `have labels without a dash at an end`(text: String, label: String) throws {
        let address = try #require(IPAddress(text))
        #expect(AddressLabel.text(address) == label)
    }

    @Test func `are found by these labels, and by no other spelling`() throws {
        var generator = SeededGenerator(seed: 7)
        var texts = ["fd00::", "::1", "2001:db8::1:0:0:1"]
        for _ in 0..<60 {
            // Many zeros, so that there is something to leave out.
            let groups = (0..<8).map { _ in
                Int.random(in: 0..<3, using: &generator) == 0 ? Int.random(in: 0...0xFFFF, using: &generator) : 0
            }
            texts.append(groups.map { String($0, radix: 16) }.joined(separator: ":"))
        }
        let addresses = texts.compactMap { IPAddress($0) }
        let bench = ResolverBench(Self.zone([Self.slice("six", addresses.map { ($0.description, nil, true) })]).zone)
        for address in addresses {
            let label = AddressLabel.text(address)
            let answer = try bench.ask("\(label).\(Self.base)", .aaaa)
            #expect(answer.texts == [address.description])
            #expect(try bench.ask("\(label).\(Self.base)", .a).responseCode == .noError)
            #expect(try bench.ask("x.\(label).\(Self.base)", .a).responseCode == .nameError)
            let full = address.description.contains("::") ? Self.full(address) : "0\(label)"
            #expect(try bench.ask("\(full).\(Self.base)", .aaaa).responseCode == .nameError, "\(full)")
        }
    }

    private static func full(_ address: IPAddress) -> String {
        (0..<8).map { String(UInt16(truncatingIfNeeded: address.bits >> UInt128(112 - $0 * 16)), radix: 16) }
            .joined(separator: "-")
    }

    @Test func `are found by aliases and searches too`() throws {
        let near = Fixtures.service("near", ips: [], type: "ExternalName", externalName: "10-0-0-7.\(Self.base)")
        var model = Self.zone([Self.slice("four", [("10.0.0.7", nil, true)])], others: [near])
        model.setPod(old: nil, new: Fixtures.pod("client", ips: ["10.0.0.9"]))
        model.setClients(in: try #require(IPPrefix("10.0.0.0/8")), .others)
        model.update(isComplete: true, now: 1)
        let bench = ResolverBench(model.zone)
        #expect(
            try bench.ask("near.default.svc.cluster.local", .a).texts == ["10-0-0-7.\(Self.base).", "10.0.0.7"])
        let search = try bench.ask("10-0-0-7.\(Self.base).default.svc.cluster.local", .a, from: "10.0.0.9")
        #expect(search.texts == ["10-0-0-7.\(Self.base).", "10.0.0.7"])
    }

    @Test func `share a name with an endpoint whose hostname looks like it`() throws {
        let bench = ResolverBench(
            Self.zone([Self.slice("four", [("10.0.0.7", nil, true), ("10.0.0.8", "10-0-0-7", true)])]).zone)
        #expect(Set(try bench.ask("10-0-0-7.\(Self.base)", .a).texts) == ["10.0.0.7", "10.0.0.8"])
        #expect(try bench.ask(Self.base, .a).texts.sorted() == ["10.0.0.7", "10.0.0.8"])
        for octet in [7, 8] {
            let names = try bench.ask("\(octet).0.0.10.in-addr.arpa", .ptr).texts
            #expect(Set(names) == ["10-0-0-7.\(Self.base)."])
        }
    }

    @Test func `answer once where an address has a hostname and none`() throws {
        let slices = [Self.slice("a", [("10.0.0.7", nil, true)]), Self.slice("b", [("10.0.0.7", "host", true)])]
        let bench = ResolverBench(Self.zone(slices).zone)
        #expect(try bench.ask(Self.base, .a).texts == ["10.0.0.7"])
        #expect(
            try bench.ask("7.0.0.10.in-addr.arpa", .ptr).texts.sorted()
                == ["10-0-0-7.\(Self.base).", "host.\(Self.base)."])
    }

    @Test func `lead back to each of their Services, as long as they belong to it`() throws {
        let other = Fixtures.service("other", ips: ["10.96.0.9"])
        let mine = Self.slice("mine", [("10.0.0.7", nil, true)])
        var model = Self.zone([mine, Self.slice("its", of: "other", [("10.0.0.7", nil, true)])], others: [other])
        let question = "7.0.0.10.in-addr.arpa"
        let names = ["10-0-0-7.\(Self.base).", "10-0-0-7.other.default.svc.cluster.local."]
        #expect(try ResolverBench(model.zone).ask(question, .ptr).texts.sorted() == names)
        let count = model.zone.nameCount
        model.setSlice(old: mine, new: nil)
        model.update(isComplete: true, now: 2)
        #expect(try ResolverBench(model.zone).ask(question, .ptr).texts == [names[1]])
        #expect(model.zone.nameCount < count)
    }

    /// One port for all takes no memory for each endpoint, different ones do.
    @Test(arguments: [(80, "the same number everywhere"), (81, "another number in one slice")])
    func `have locations`(port: Int, remark: String) throws {
        let slices = [
            Self.slice("four", [("10.0.0.7", nil, true), ("10.0.0.8", "host", true)]),
            Self.slice("six", [("fd00::", nil, true)], port: port),
        ]
        let message = try ResolverBench(Self.zone(slices).zone).ask("_http._tcp.\(Self.base)", .srv)
        #expect(
            Set(message.texts) == [
                "0 33 80 10-0-0-7.\(Self.base).", "0 33 80 host.\(Self.base).", "0 33 \(port) fd00--0.\(Self.base).",
            ], "\(remark)")
        var places: [String: String] = [:]
        for record in message.additionals { places["\(record.name)"] = record.data.text }
        #expect(
            places == [
                "10-0-0-7.\(Self.base).": "10.0.0.7", "host.\(Self.base).": "10.0.0.8",
                "fd00--0.\(Self.base).": "fd00::",
            ], "\(remark)")
    }

    @Test func `are cut from answers that they do not fit in, and from no others`() throws {
        let endpoints = (1...200).map { ("10.0.0.\($0)", String?.none, Bool?.some(true)) }
        let bench = ResolverBench(Self.zone([Self.slice("four", endpoints)]).zone)
        for (type, name) in [(DNSRecordType.srv, "_http._tcp.\(Self.base)"), (.a, Self.base)] {
            let query = Fixtures.query(name, type)
            let short = try bench.ask(query)
            #expect(short.flags.contains(.truncated))
            let whole = try bench.ask(query, isDatagram: false)
            #expect(!whole.flags.contains(.truncated))
            #expect(Set(whole.texts).count == 200)
            #expect(Set(short.texts).isSubset(of: whole.texts))
        }
    }
}
