import Addresses
import Testing
import Verify

@Suite("Probe texts")
struct ProbeTextTests {
    private func probe(_ text: String, from: Probe.VantagePoint) throws -> Probe {
        let address = try #require(IPAddress(text))
        return Probe(
            service: "web/web", family: address.family, target: .clusterIP(address), port: 80, request: .http,
            from: from)
    }

    @Test("The table has a row for each target, a column for each place, and names every failure")
    func table() throws {
        let pod = Probe.VantagePoint.pod(
            PodLocation(namespace: "web", pod: "client-x", container: "client", node: "node-1"))
        let table = ProbeTable([
            ProbeResult(probe: try probe("10.96.0.7", from: .host), outcome: .answered, latency: .microseconds(1260)),
            ProbeResult(probe: try probe("10.96.0.7", from: pod), outcome: .answered, latency: .milliseconds(80)),
            ProbeResult(
                probe: try probe("fd00:10:96::7", from: .host), outcome: .failed("connection refused"), latency: .zero),
            ProbeResult(probe: try probe("fd00:10:96::7", from: pod), outcome: .answered, latency: .milliseconds(90)),
        ])
        #expect(!table.allAnswered)
        #expect(
            table.text == """
                SERVICE  FAMILY  TARGET              HOST       POD ON NODE-1
                web/web  IPv4    10.96.0.7:80        ok 1.3 ms  ok
                web/web  IPv6    [fd00:10:96::7]:80  FAILED     ok
                failed: web/web IPv6 [fd00:10:96::7]:80 from host: connection refused
                3 of 4 requests answered

                """)
    }

    @Test("A matrix without a probe proves nothing")
    func empty() {
        #expect(!ProbeTable([]).allAnswered)
    }

    @Test("Addresses are read from what nslookup prints, without the server's own")
    func lookUp() throws {
        let output = """
            Server:\t\tfd00:10:96::a
            Address:\t[fd00:10:96::a]:53

            Name:\tweb.web.svc.cluster.local
            Address: fd00:10:96::7
            Name:\tweb.web.svc.cluster.local
            Address: fd00:10:96::8

            """
        #expect(
            PodCommand.addresses(inLookUp: output)
                == Set(try ["fd00:10:96::7", "fd00:10:96::8"].map { try #require(IPAddress($0)) }))
        #expect(PodCommand.addresses(inLookUp: "** server can't find x: NXDOMAIN").isEmpty)
    }

    @Test("No argument of a command holds a space, and literal addresses have brackets where they need them")
    func commands() throws {
        let address = try #require(IPAddress("fd00:10:96::7"))
        #expect(
            PodCommand.request(.http, to: address, port: 80, timeout: 3)
                == "timeout 3 wget -q -O - http://[fd00:10:96::7]:80/")
        #expect(
            PodCommand.request(.connection, to: address, port: 6379, timeout: 3)
                == "timeout 3 nc -w 3 fd00:10:96::7 6379 -e /bin/true")
        #expect(
            PodCommand.lookUp("web.web.svc.cluster.local", .ipv6, timeout: 3)
                == "timeout 3 nslookup -type=aaaa web.web.svc.cluster.local.")
    }

    @Test(
        "The status of a response is read from its first line",
        arguments: [
            ("HTTP/1.1 200 OK\r\n\r\n", 200), ("HTTP/1.0 404\r\n", 404), ("+PONG\r\n", nil), ("HTTP/1.1 2000 x", nil),
            ("", nil),
        ] as [(String, Int?)])
    func status(text: String, code: Int?) {
        #expect(HTTPStatus.code(in: Array(text.utf8)) == code)
    }
}
