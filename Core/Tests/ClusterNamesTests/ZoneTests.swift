import Addresses
import ClusterNames
import DNSMessage
import DNSResolution
import KubernetesAPI
import Testing

@Suite struct `The cluster's zone` {
    /// Answers with records: the rows of section 7.1 of the contract.
    @Test(
        arguments: [
            ("web.default.svc.cluster.local", .a, ["10.96.0.20"]),
            ("WEB.Default.svc.Cluster.LOCAL", .aaaa, ["fd00:10:96::20"]),
            ("_http._tcp.web.default.svc.cluster.local", .srv, ["0 100 80 web.default.svc.cluster.local."]),
            ("_quic._udp.web.default.svc.cluster.local", .srv, ["0 100 443 web.default.svc.cluster.local."]),
            ("10-244-0-5.web.default.svc.cluster.local", .a, ["10.244.0.5"]),
            ("six.apps.svc.cluster.local", .aaaa, ["fd00:10:96::21"]),
            ("db.default.svc.cluster.local", .a, ["10.244.0.7", "10.244.1.7"]),
            ("db.default.svc.cluster.local", .aaaa, ["fd00:10:244::7", "fd00::"]),
            ("db-0.db.default.svc.cluster.local", .a, ["10.244.0.7"]),
            ("db-0.db.default.svc.cluster.local", .aaaa, ["fd00:10:244::7"]),
            ("10-244-1-7.db.default.svc.cluster.local", .a, ["10.244.1.7"]),
            ("fd00--0.db.default.svc.cluster.local", .aaaa, ["fd00::"]),
            (
                "_redis._tcp.db.default.svc.cluster.local", .srv,
                [
                    "0 33 6379 10-244-1-7.db.default.svc.cluster.local.",
                    "0 33 6379 db-0.db.default.svc.cluster.local.",
                    "0 33 6379 fd00--0.db.default.svc.cluster.local.",
                ]
            ),
            ("20.0.96.10.in-addr.arpa", .ptr, ["web.default.svc.cluster.local."]),
            ("7.0.244.10.in-addr.arpa", .ptr, ["db-0.db.default.svc.cluster.local."]),
            ("5.0.244.10.in-addr.arpa", .ptr, ["10-244-0-5.web.default.svc.cluster.local."]),
            (
                "0.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.6.9.0.0.0.1.0.0.0.0.d.f.ip6.arpa", .ptr,
                ["web.default.svc.cluster.local."]
            ),
            ("ext.default.svc.cluster.local", .cname, ["www.example.com."]),
            ("near.default.svc.cluster.local", .a, ["web.default.svc.cluster.local.", "10.96.0.20"]),
            ("dns-version.cluster.local", .txt, ["\"1.1.0\""]), ("cluster.local", .ns, ["ns.dns.cluster.local."]),
            ("cluster.local", .soa, ["ns.dns.cluster.local. hostmaster.cluster.local."]),
            ("ns.dns.cluster.local", .a, ["10.96.0.10"]), ("ns.dns.cluster.local", .aaaa, ["fd00:10:96::a"]),
            ("10-244-9-9.default.pod.cluster.local", .a, ["10.244.9.9"]),
            ("2001-db8--1.default.pod.cluster.local", .aaaa, ["2001:db8::1"]),
            ("0--1.default.pod.cluster.local", .aaaa, ["::1"]),
        ] as [(String, DNSRecordType, [String])])
    func `answers with records`(name: String, type: DNSRecordType, records: [String]) throws {
        let message = try ResolverBench().ask(name, type)
        #expect(message.responseCode == .noError)
        #expect(message.flags.isSuperset(of: [.response, .authoritative, .recursionDesired]))
        #expect(message.texts.sorted() == records.sorted())
        #expect(message.answers.first?.name.description == name + ".", "the case of the question is kept")
        #expect(message.answers.allSatisfy { $0.ttl == (type == .txt ? 28800 : 30) })
    }

    /// Negative answers: the rows of section 7.2 of the contract.
    @Test(
        arguments: [
            ("cluster.local", .a, .noError), ("svc.cluster.local", .a, .noError), ("pod.cluster.local", .a, .noError),
            ("default.svc.cluster.local", .a, .noError), ("nowhere.svc.cluster.local", .a, .nameError),
            ("default.pod.cluster.local", .a, .noError), ("nope.default.svc.cluster.local", .a, .nameError),
            ("nope.default.svc.cluster.local", .aaaa, .nameError), ("old.default.svc.cluster.local", .aaaa, .noError),
            ("six.apps.svc.cluster.local", .a, .noError), ("web.default.svc.cluster.local", .txt, .noError),
            ("gone.default.svc.cluster.local", .a, .nameError), ("one.default.svc.cluster.local", .aaaa, .noError),
            ("_nope._tcp.web.default.svc.cluster.local", .srv, .nameError),
            ("_http._udp.web.default.svc.cluster.local", .srv, .nameError),
            ("a.b.web.default.svc.cluster.local", .a, .nameError), ("x.db.default.svc.cluster.local", .a, .nameError),
            ("10-244-1-8.db.default.svc.cluster.local", .a, .nameError), ("x.cluster.local", .a, .nameError),
            ("10-244-0-5.web.default.svc.cluster.local", .aaaa, .noError), ("20.0.96.10.in-addr.arpa", .a, .noError),
            ("empty.svc.cluster.local", .a, .noError), ("empty.pod.cluster.local", .a, .noError),
            ("nowhere.pod.cluster.local", .a, .nameError), ("10-244-9-9.nowhere.pod.cluster.local", .a, .nameError),
            ("10-244-9-9.default.pod.cluster.local", .aaaa, .noError),
            ("2001-db8--1.default.pod.cluster.local", .a, .noError),
            ("pod-1.default.pod.cluster.local", .a, .nameError),
            ("10-244-9-999.default.pod.cluster.local", .a, .nameError),
            ("x.10-244-9-9.default.pod.cluster.local", .a, .nameError),
            ("_tcp.web.default.svc.cluster.local", .srv, .noError), ("dns-version.cluster.local", .a, .noError),
            ("dns.cluster.local", .a, .noError),
        ] as [(String, DNSRecordType, DNSResponseCode)])
    func `denies with its authority`(name: String, type: DNSRecordType, code: DNSResponseCode) throws {
        let message = try ResolverBench().ask(name, type)
        #expect(message.responseCode == code)
        #expect(message.answers.isEmpty)
        #expect(message.flags.contains(.authoritative))
        let authority = try #require(message.authorities.first)
        #expect(authority.ttl == 30)
        guard case .soa(let soa) = authority.data else {
            Issue.record("no SOA record")
            return
        }
        #expect(soa.minimum == 30 && soa.serial == 1_700_000_000)
        #expect("\(soa.primary) \(soa.mailbox)" == "ns.dns.cluster.local. hostmaster.cluster.local.")
    }

    @Test(
        arguments: [
            ("www.example.com", .a), ("local", .a), ("9.9.9.9.in-addr.arpa", .ptr), ("0.96.10.in-addr.arpa", .ptr),
            ("256.0.96.10.in-addr.arpa", .ptr), ("x.0.96.10.in-addr.arpa", .ptr), ("0.2.ip6.arpa", .ptr), (".", .ns),
        ] as [(String, DNSRecordType)])
    func `leaves other names to others`(name: String, type: DNSRecordType) throws {
        let bench = ResolverBench()
        _ = try bench.ask(name, type)
        #expect(bench.asked.map(\.name) == [Fixtures.name(name).wire])
    }

    @Test func `asks others for the target of an alias`() throws {
        let bench = ResolverBench()
        bench.add(
            "www.example.com", ("www.example.com", .cname(Fixtures.name("cdn.example.net"))),
            ("cdn.example.net", .address("192.0.2.1")))
        let name = "ext.default.svc.cluster.local"
        let answer = try bench.ask(name, .a)
        #expect(answer.texts == ["www.example.com.", "cdn.example.net.", "192.0.2.1"])
        #expect(answer.answers.map { "\($0.name)" } == [name + ".", "www.example.com.", "cdn.example.net."])
        #expect(try bench.ask(name, .cname).texts == ["www.example.com."])
    }

    @Test func `denies nothing before it is complete`() throws {
        var model = Fixtures.emptyModel()
        let service = Fixtures.service("web", ips: ["10.96.0.20"])
        model.setService(service.key, service)
        model.update(isComplete: false, now: 1)
        for (isComplete, code) in [(false, DNSResponseCode.serverFailure), (true, .nameError)] {
            model.update(isComplete: isComplete, now: 2)
            let bench = ResolverBench(model.zone)
            #expect(try bench.ask("web.default.svc.cluster.local", .a).texts == ["10.96.0.20"])
            #expect(try bench.ask("late.default.svc.cluster.local", .a).responseCode == code)
            #expect(
                try bench.ask("web.default.svc.cluster.local", .aaaa).responseCode == (isComplete ? .noError : code))
        }
    }

    @Test func `adds the addresses of what SRV records lead to`() throws {
        let message = try ResolverBench().ask("_redis._tcp.db.default.svc.cluster.local", .srv)
        #expect(Set(message.additionals.map(\.data.text)) == ["10.244.0.7", "fd00:10:244::7", "10.244.1.7", "fd00::"])
        let targets = message.answers.compactMap { record -> String? in
            guard case .srv(_, _, _, let target) = record.data else { return nil }
            return "\(target)"
        }
        #expect(Set(message.additionals.map { "\($0.name)" }) == Set(targets))
    }

    @Test func `begins with another address each time`() throws {
        let bench = ResolverBench()
        let firsts = try (0..<8).map { _ in try bench.ask("db.default.svc.cluster.local", .a).texts[0] }
        #expect(Set(firsts) == ["10.244.0.7", "10.244.1.7"])
    }

    @Test func `has another domain where that is wanted`() throws {
        let bench = ResolverBench(Fixtures.filled(Fixtures.emptyModel("k8s.example.org")))
        #expect(try bench.ask("web.default.svc.k8s.example.org", .a).texts == ["10.96.0.20"])
        #expect(try bench.ask("web.default.svc.k8s.example.org", .txt).responseCode == .noError)
        #expect(bench.asked.isEmpty)
    }

    @Test(arguments: [
        (ZoneSettings.PodNames.disabled, "10-244-0-5.default.pod.cluster.local", DNSResponseCode.nameError),
        (.disabled, "default.pod.cluster.local", .nameError), (.disabled, "pod.cluster.local", .nameError),
        (.verified, "10-244-0-5.default.pod.cluster.local", .noError),
        (.verified, "10-244-0-99.default.pod.cluster.local", .nameError),
        (.verified, "10-244-0-5.apps.pod.cluster.local", .nameError),
    ])
    func `names pods by mode`(mode: ZoneSettings.PodNames, name: String, code: DNSResponseCode) throws {
        let bench = ResolverBench(Fixtures.filled(Fixtures.emptyModel(pods: mode)))
        #expect(try bench.ask(name, .a).responseCode == code)
    }

    @Test func `names endpoints after pods, and hides empty Services, where that is wanted`() throws {
        var options = ClusterNamesOptions()
        options.hidesEmptyServices = true
        var model = Fixtures.emptyModel(options: options)
        for name in ["full", "empty"] {
            let service = Fixtures.service(name, ips: ["10.96.0.1"])
            model.setService(service.key, service)
        }
        var slice = Fixtures.slice("full-4", of: "full", type: "IPv4", endpoints: [("10.244.0.1", nil, true)])
        slice.endpoints?[0].targetRef = ObjectReference(kind: "Pod", name: "full-abc")
        model.setSlice(old: nil, new: slice, usingPodNames: true)
        model.update(isComplete: true, now: 1)
        let bench = ResolverBench(model.zone)
        #expect(try bench.ask("full-abc.full.default.svc.cluster.local", .a).texts == ["10.244.0.1"])
        #expect(try bench.ask("empty.default.svc.cluster.local", .a).responseCode == .nameError)
    }

    @Test func `names unready endpoints where the Service tolerates them`() throws {
        var model = Fixtures.emptyModel()
        var service = Fixtures.service("db", ips: ["None"])
        service.metadata.annotations = ["service.alpha.kubernetes.io/tolerate-unready-endpoints": "true"]
        model.setService(service.key, service)
        model.setSlice(
            old: nil, new: Fixtures.slice("db-4", of: "db", type: "IPv4", endpoints: [("10.244.0.1", nil, false)]))
        model.update(isComplete: true, now: 1)
        #expect(try ResolverBench(model.zone).ask("db.default.svc.cluster.local", .a).texts == ["10.244.0.1"])
    }
}

@Suite struct `The search list in one go` {
    private let bench: ResolverBench

    init() {
        bench = ResolverBench(Fixtures.filled(Fixtures.emptyModel(searches: ["corp.example"])))
        bench.add("www.example.com", ("www.example.com", .address("192.0.2.1")))
        bench.add("intra.corp.example", ("intra.corp.example", .address("192.0.2.2")))
    }

    @Test(
        arguments: [
            ("web.default.svc.cluster.local", ["10.96.0.20"], "web in the pod's own namespace"),
            ("six.apps.default.svc.cluster.local", [], "a Service of another namespace: no A record"),
            (
                "old.default.default.svc.cluster.local", ["old.default.svc.cluster.local.", "10.96.0.21"],
                "name.namespace"
            ),
            (
                "old.default.svc.default.svc.cluster.local", ["old.default.svc.cluster.local.", "10.96.0.21"],
                "name.namespace.svc"
            ),
            ("intra.default.svc.cluster.local", ["intra.corp.example.", "192.0.2.2"], "a search domain of the host"),
            ("www.example.com.default.svc.cluster.local", ["www.example.com.", "192.0.2.1"], "an absolute name"),
            ("nope.default.svc.cluster.local", nil, "no such name anywhere"),
            ("old.default.apps.svc.cluster.local", nil, "the namespace is not the pod's"),
        ] as [(String, [String]?, String)])
    func `ends where a search would end`(name: String, texts: [String]?, remark: String) throws {
        let answer = try bench.ask(name, .a, from: "10.244.0.5")
        #expect(answer.responseCode == (texts == nil ? .nameError : .noError), "\(remark)")
        if let texts, !texts.isEmpty { #expect(answer.texts == texts, "\(remark)") }
        let strange = try bench.ask("old.default.default.svc.cluster.local", .a, from: "10.244.200.1")
        #expect(strange.responseCode == .nameError, "nobody knows this client's namespace")
    }
}
