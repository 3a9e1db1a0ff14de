import Addresses
import CAllocationCount
import DNSMessage
import DNSResolution
import Testing

/// No query whose facts are at hand may cost memory: a server's speed must not hang on the allocator.
struct `Queries allocate nothing` {
    /// The allocations of 100 runs of each query, behind two that may make what is made once.
    private func allocations(_ bench: ResolverBench, _ query: [UInt8], from text: String) throws -> UInt {
        let client = try #require(IPAddress(text))
        for _ in 0..<2 { _ = try bench.bytes(query, from: text) }
        var count: UInt = 0
        for _ in 0..<100 {
            let before = duet_allocation_count()
            guard case .reply = bench.resolve(query, client) else { throw ResolverBench.NoReply() }
            count += duet_allocation_count() - before
        }
        return count
    }

    @Test(
        arguments: [
            ("web.default.svc.cluster.local", .a, "a Service"), ("WEB.default.svc.cluster.local", .aaaa, "its case"),
            ("nope.default.svc.cluster.local", .a, "no such name"), ("old.default.svc.cluster.local", .aaaa, "no data"),
            ("_redis._tcp.db.default.svc.cluster.local", .srv, "locations"),
            ("7.0.244.10.in-addr.arpa", .ptr, "reverse"),
            ("5.0.244.10.in-addr.arpa", .ptr, "reverse, to a name that follows from the address"),
            ("10-244-1-7.db.default.svc.cluster.local", .a, "a name that follows from an address"),
            ("fd00--0.db.default.svc.cluster.local", .any, "another one"),
            ("2001-db8--1.default.pod.cluster.local", .aaaa, "a pod"), ("cluster.local", .soa, "the authority"),
            ("near.default.svc.cluster.local", .a, "an alias in the zone"),
            ("ext.default.svc.cluster.local", .a, "an alias that leads outside"), ("www.example.com", .a, "the cache"),
            ("old.example.com", .aaaa, "no data in the cache"), ("gone.example.com", .a, "no such name in the cache"),
        ] as [(String, DNSRecordType, String)])
    func `from the zone and from the cache`(name: String, type: DNSRecordType, remark: String) throws {
        let bench = ResolverBench()
        bench.add("www.example.com", ("www.example.com", .address("192.0.2.1")))
        bench.add("old.example.com", ("old.example.com", .address("192.0.2.2")))
        for extended in [nil, ExtendedDNS()] as [ExtendedDNS?] {
            let query = Fixtures.query(name, type, extendedDNS: extended)
            #expect(try allocations(bench, query, from: "10.244.0.5") == 0, "\(remark)")
        }
    }

    @Test func `when addresses are made, and when a search is walked`() throws {
        let bench = ResolverBench(Fixtures.filled(Fixtures.emptyModel(searches: []))) {
            $0.dns64 = DNS64(prefixes: [.wellKnown])
        }
        bench.add("old.example.com", ("old.example.com", .address("8.8.8.8")))
        let made = Fixtures.query("old.example.com", .aaaa)
        #expect(try bench.ask(made, from: "fd00:10:244::6").texts == ["64:ff9b::808:808"])
        #expect(try allocations(bench, made, from: "fd00:10:244::6") == 0)
        let search = Fixtures.query("old.example.com.default.svc.cluster.local", .a)
        #expect(try bench.ask(search, from: "10.244.0.5").texts == ["old.example.com.", "8.8.8.8"])
        #expect(try allocations(bench, search, from: "10.244.0.5") == 0)
    }
}
