import APIServer
import JSON
import KubernetesAPI
import Testing

/// Where proxied requests go, and under which path.
@Suite struct ProxyTests {
    /// Columns: the segment, what it names (nil when it is refused).
    @Test(
        arguments: [
            ("web", ("web", "", false)), ("web:80", ("web", "80", false)), ("web:http", ("web", "http", false)),
            ("web:", ("web", "", false)), ("https:web:443", ("web", "443", true)), ("http:web:", ("web", "", false)),
            (":web:80", ("web", "80", false)), ("https:web:", ("web", "", true)),
            ("ftp:web:80", nil), ("", nil), (":80", nil), ("https::443", nil), ("a:b:c:d", nil),
        ] as [(String, (String, String, Bool)?)])
    func `a segment names scheme, name and port`(segment: String, expected: (name: String, port: String, Bool)?) {
        for (resource, kind) in [(Resource.services, "service"), (.pods, "pod"), (.nodes, "node")] {
            do throws(StatusError) {
                let name = try ProxyName(segment, of: resource)
                #expect(name.name == expected?.name)
                #expect(name.port == expected?.port)
                #expect(name.isSecure == expected?.2)
            } catch {
                #expect(expected == nil)
                #expect(error.code == 400)
                #expect(error.message == "invalid \(kind) request \"\(segment)\"")
            }
        }
    }

    /// Columns: the path, the segments up to `proxy`, what is before and behind.
    @Test(
        arguments: [
            ("/api/v1/nodes/n/proxy", 5, "/api/v1/nodes/n/proxy", ""),
            ("/api/v1/nodes/n/proxy/", 5, "/api/v1/nodes/n/proxy", "/"),
            ("/api/v1/nodes/n/proxy/a/b", 5, "/api/v1/nodes/n/proxy", "/a/b"),
            ("/api/v1/nodes/n/proxy/a/", 5, "/api/v1/nodes/n/proxy", "/a/"),
            ("/api/v1/nodes/n/proxy//a//b", 5, "/api/v1/nodes/n/proxy", "//a//b"),
            ("/api/v1/nodes/n/proxy/a%2Fb%20c", 5, "/api/v1/nodes/n/proxy", "/a%2Fb%20c"),
            ("/api/v1/nodes/n/proxy/proxy", 5, "/api/v1/nodes/n/proxy", "/proxy"),
            ("//api/v1//nodes/n/proxy/x", 5, "//api/v1//nodes/n/proxy", "/x"),
            (
                "/api/v1/namespaces/d/services/w:80/proxy/x", 7, "/api/v1/namespaces/d/services/w:80/proxy", "/x"
            ),
        ])
    func `the backend's path is what stands behind proxy`(path: String, depth: Int, prefix: String, rest: String) {
        let split = ProxyPath(path, depth: depth)
        #expect(split.prefix == prefix)
        #expect(split.rest == rest)
    }

    /// Columns: where the backend leads, where that leads the client.
    @Test(
        arguments: [
            ("/login", "/p/proxy/login"), ("/", "/p/proxy/"), ("/a?b=c#d", "/p/proxy/a?b=c#d"),
            ("http://10.0.0.1:80/x", "/p/proxy/x"), ("https://[fd00::1]:80/x", "/p/proxy/x"),
            ("http://10.0.0.1:80", "/p/proxy/"), ("http://10.0.0.1:80?q", "/p/proxy/?q"),
            ("http://elsewhere/x", "http://elsewhere/x"), ("http://10.0.0.1:81/x", "http://10.0.0.1:81/x"),
            ("next", "next"), ("../up", "../up"), ("/p/proxy/kept", "/p/proxy/kept"), ("//other/x", "//other/x"),
            ("?q=1", "?q=1"),
        ])
    func `a redirection stays behind the proxy`(location: String, expected: String) {
        let path = ProxyPath("/p/proxy/here", depth: 2)
        #expect(path.location(location, of: ["10.0.0.1:80", "[fd00::1]:80"]) == expected)
    }

    private static let service: JSONValue = [
        "spec": ["ports": [["name": "http", "port": 80], ["name": "tls", "port": 443]]]
    ]

    private static func endpoint(_ address: String, pod: String?, ready: Bool? = true) -> JSONValue {
        var endpoint: JSONValue = ["addresses": [.string(address)]]
        if let ready { endpoint.set(["ready": .bool(ready)], at: "conditions") }
        if let pod { endpoint.set(["kind": "Pod", "name": .string(pod)], at: "targetRef") }
        return endpoint
    }

    private static let slices: [JSONValue] = [
        [
            "addressType": "IPv4", "ports": [["name": "http", "port": 8080], ["name": "tls", "port": 8443]],
            "endpoints": [
                endpoint("10.0.0.1", pod: "a"), endpoint("10.0.0.2", pod: "b", ready: false),
                endpoint("10.0.0.3", pod: "c", ready: nil), endpoint("10.0.0.4", pod: nil),
                endpoint("10.0.0.5", pod: "a"), endpoint("127.0.0.1", pod: "d"), endpoint("10.0.0.9", pod: "gone"),
            ],
        ],
        [
            "addressType": "IPv6", "ports": [["name": "http", "port": 8080]],
            "endpoints": [endpoint("fd00::1", pod: "a")],
        ],
        ["addressType": "FQDN", "ports": [["name": "http", "port": 8080]], "endpoints": [endpoint("a.b", pod: "a")]],
    ]

    private static let pods: [String: JSONValue] = [
        "a": ["status": ["podIPs": [["ip": "10.0.0.1"], ["ip": "fd00:0::1"]]]],
        "b": ["status": ["podIPs": [["ip": "10.0.0.2"]]]], "c": ["status": ["podIPs": [["ip": "10.0.0.3"]]]],
        "d": ["status": ["podIPs": [["ip": "127.0.0.1"]]]],
    ]

    /// Columns: the port, the backends or the refusal.
    @Test(
        arguments: [
            ("web:http", ["10.0.0.1 8080", "10.0.0.3 8080", "fd00::1 8080"], ""),
            ("web:80", ["10.0.0.1 8080", "10.0.0.3 8080", "fd00::1 8080"], ""),
            ("web:443", ["10.0.0.1 8443", "10.0.0.3 8443"], ""), ("web", [], ""), ("web:absent", [], ""),
            ("web:81", [], "no service port 81 found for service \"web\""),
        ] as [(String, [String], String)])
    func `a Service's requests go to ready pods of every family`(name: String, expected: [String], refusal: String)
        throws
    {
        let name = try ProxyName(name, of: .services)
        do throws(StatusError) {
            let found = try ProxyBackend.endpoints(of: Self.service, Self.slices, name) { Self.pods[$0] }
            #expect(found.map { "\($0.host) \($0.port)" } == expected)
        } catch {
            #expect(error.code == 503)
            #expect(error.message == refusal)
        }
    }

    /// Columns: the pod's address, its first port, the segment, the backend or the refusal.
    @Test(
        arguments: [
            ("10.0.0.1", 8080, "p", "10.0.0.1 8080"), ("fd00::1", 8080, "p", "fd00::1 8080"),
            ("10.0.0.1", nil, "p", "10.0.0.1 80"), ("10.0.0.1", nil, "https:p:", "10.0.0.1 443"),
            ("10.0.0.1", 8080, "p:9", "10.0.0.1 9"), ("", 80, "p", "address not allowed"),
            ("127.0.0.1", 80, "p", "address not allowed"), ("::1", 80, "p", "address not allowed"),
            ("169.254.169.254", 80, "p", "address not allowed"), ("fe80::1", 80, "p", "address not allowed"),
            ("224.0.0.1", 80, "p", "address not allowed"), ("0.0.0.0", 80, "p", "address not allowed"),
            ("10.0.0.1", 80, "p:x", "the port \"x\" is not a number"),
            ("10.0.0.1", 80, "p:70000", "the port \"70000\" is not a number"),
        ] as [(String, Int64?, String, String)])
    func `a pod is reached at its first address and port`(
        address: String, port: Int64?, name: String, expected: String
    ) {
        var container: JSONValue = ["name": "c"]
        if let port { container.set([["containerPort": .integer(port)]], at: "ports") }
        let pod: JSONValue = [
            "spec": ["containers": [["name": "first"], container]], "status": ["podIP": .string(address)],
        ]
        do throws(StatusError) {
            let backend = try ProxyBackend(pod: pod, ProxyName(name, of: .pods))
            #expect("\(backend.host) \(backend.port)" == expected)
        } catch {
            #expect(error.code == 400)
            #expect(error.message == expected)
        }
    }

    @Test func `a node's requests go to its agent, or to another port without the server's certificate`() throws {
        let agent = ProxyBackend(host: "10.0.0.1", port: 10250, isSecure: true, isAgent: true)
        for name in ["n", "n:10250", "https:n:"] {
            #expect(try ProxyBackend(agent: agent, ProxyName(name, of: .nodes)) == agent)
        }
        #expect(
            try ProxyBackend(agent: agent, ProxyName("n:9100", of: .nodes))
                == ProxyBackend(host: "10.0.0.1", port: 9100))
        #expect(
            try ProxyBackend(agent: agent, ProxyName("https:n:9100", of: .nodes))
                == ProxyBackend(host: "10.0.0.1", port: 9100, isSecure: true))
        let local = ProxyBackend(host: "127.0.0.1", port: 10250, isSecure: true, isAgent: true)
        #expect(throws: StatusError.self) { try ProxyBackend(agent: local, ProxyName("n:22", of: .nodes)) }
    }
}
