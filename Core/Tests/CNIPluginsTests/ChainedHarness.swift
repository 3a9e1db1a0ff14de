import CNI
import Glibc
import JSON
import Linux
import Testing

/// A node with one attached pod that serves TCP port 80 and UDP port 53, and a client on the node's other link.
final class ChainedNode: Sendable {
    let node: TestNode
    let client: String
    let previous: JSONValue
    private let servers: [ChildProcess]

    /// Attaches the pod by a plugin of ours, both families, and waits for its servers.
    init(_ type: String = "ptp") throws {
        node = try TestNode()
        client = node.host.dropLast() + "c"
        try NetworkNamespace.create(name: client)
        let links = """
            ip -n \(node.host) link set lo up; ip -n \(client) link set lo up
            ip -n \(node.host) link add up0 type veth peer name eth0 netns \(client)
            ip -n \(node.host) addr add 192.0.2.1/24 dev up0; ip -n \(node.host) addr add 192.0.2.3/24 dev up0
            ip -n \(node.host) addr add 2001:db8::1/64 dev up0 nodad
            ip -n \(client) addr add 192.0.2.2/24 dev eth0; ip -n \(client) addr add 2001:db8::2/64 dev eth0 nodad
            ip -n \(node.host) link set up0 up; ip -n \(client) link set eth0 up
            ip -n \(client) route add 10.9.0.0/24 via 192.0.2.1; ip -n \(client) route add fd00:9::/64 via 2001:db8::1
            """
        try #require(try node.run(["/bin/sh", "-ec", links]).status.isSuccess)
        let configuration = node.configuration(type, ["isDefaultGateway": true, "hairpinMode": true])
        let answer = try node.call(.ours, "ADD", configuration)
        try #require(answer.isSuccess, "\(answer.printed.text())")
        previous = answer.printed
        let ready = "\(node.directory)/ready"
        servers = try [node.pod, node.host].map { namespace in
            var specification = ChildProcess.Specification(
                executable: "/usr/bin/python3",
                arguments: ["-c", Self.server, ready, namespace.suffix(1) == "p" ? "80" : "9"])
            specification.networkNamespace = NetworkNamespace.path(name: namespace)
            return try ChildProcess.spawn(specification)
        }
        let wait = "for i in $(seq 500); do [ -e \(ready)80 ] && [ -e \(ready)9 ] && exit 0; sleep 0.01; done; exit 1"
        try #require(try node.run(["/bin/sh", "-c", wait]).status.isSuccess)
    }

    deinit {
        for server in servers {
            try? server.signal(SIGKILL)
            _ = try? server.wait()
        }
        try? NetworkNamespace.delete(name: client)
    }

    /// Answers with the sender's address and the own port.
    private static let server = """
        import socket, sys, threading
        port = int(sys.argv[2])
        t = socket.socket(socket.AF_INET6); t.setsockopt(41, 26, 0); t.bind(("::", port)); t.listen()
        u = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); u.setsockopt(41, 26, 0)
        u.bind(("::", 53 if port == 80 else 5353))
        def text(address): return (address[0].removeprefix("::ffff:") + " %d" % port).encode()
        def serve():
            while True:
                data, address = u.recvfrom(9); u.sendto(text(address), address)
        threading.Thread(target=serve, daemon=True).start()
        open(sys.argv[1] + sys.argv[2], "w").close()
        while True:
            c, address = t.accept(); c.send(text(address)); c.close()
        """

    /// The configuration of a plugin behind the pod's attachment.
    func configuration(_ type: String, version: String = "1.0.0", _ extra: JSONObject = [:]) -> JSONValue {
        var value: JSONValue = .object([
            "cniVersion": .string(version), "name": "net", "type": .string(type), "prevResult": previous,
        ])
        for (key, member) in extra { value[key] = member }
        return value
    }

    /// Which port answered whom; nil when nobody answered.
    func ask(_ question: Question) throws -> String? {
        let client = """
            import socket, sys
            host, port, transport, timeout, local = sys.argv[1:]
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            s = socket.socket(family, socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM)
            s.settimeout(float(timeout))
            if int(local): s.bind(("", int(local)))
            try:
                s.connect((host, int(port)))
                if transport == "udp": s.send(b"x")
                print(s.recv(99).decode())
            except OSError: pass
            """
        var specification = ChildProcess.Specification(
            executable: "/usr/bin/python3",
            arguments: [
                "-c", client, question.host, "\(question.port)", question.transport,
                question.source == nil ? "0.3" : "4",
                "\(question.localPort)",
            ])
        let namespace =
            switch question.from {
            case .client: self.client
            case .host: node.host
            case .pod: node.pod
            }
        specification.networkNamespace = NetworkNamespace.path(name: namespace)
        let answer = try ChildProcess.output(of: specification)
        #expect(answer.errorText.isEmpty, "\(answer.errorText)")
        let text = answer.text.split(separator: "\n").first.map(String.init)
        return text
    }

    /// Asks all, and gives the answers that differ from what was expected.
    func surprises(_ questions: [Question]) throws -> [String] {
        try questions.compactMap { question in
            let answer = try ask(question)
            return answer == question.source ? nil : "\(question) answered \(answer ?? "nothing")"
        }
    }

    /// What `nft` says.
    func nft(_ arguments: String...) throws -> String {
        let output = try node.run(["/usr/sbin/nft"] + arguments)
        return output.text + output.errorText
    }
}

/// A connection that is tried, and what the server shall say: the source that it sees and its port.
struct Question: Sendable, CustomStringConvertible {
    enum Place: Sendable {
        case client, host, pod
    }

    let from: Place
    let host: String
    let port: Int
    let transport: String
    let source: String?
    var localPort = 0

    init(_ from: Place, _ host: String, _ port: Int, _ source: String?) {
        (self.from, self.host, self.port, self.source) = (from, host, port, source)
        transport = "tcp"
    }

    init(_ from: Place, _ host: String, udp port: Int, _ source: String?, localPort: Int = 0) {
        (self.from, self.host, self.port, self.source, self.localPort) = (from, host, port, source, localPort)
        transport = "udp"
    }

    var description: String { "\(from) to \(host) port \(port) \(transport)" }
}
