import Addresses
import BPF
import Foundation
import Linux
import ServiceProxy
import Synchronization

/// A node between two pods, a pod of another node, all with echo servers, and a client that is no pod, each in a network
/// namespace of its own.
///
/// Everything is removed when the value goes away.
/// An echo server answers every TCP connection and UDP datagram on port 8080, on both families, with its name
/// and the address that it sees the caller at.
final class NodeLab: Sendable {
    private static let count = Atomic<Int>(0)
    private let prefix: String
    private let servers: Program
    private let callers = Mutex<[String?: Caller]>([:])
    /// The cgroup of the programs on the node: in its own namespace and in its pods'; nil for the tests' own.
    let cgroup: String?
    /// The cgroup of the programs in its pods, where that is another one.
    private let podCgroup: String?

    /// Whether tests may create namespaces here.
    static let isPossible = (try? shell("test $(id -u) = 0 && python3 --version && nft --version && ip -V")) != nil

    /// - Parameters:
    ///   - ownCgroup: whether programs on the node run in a cgroup of their own.
    ///   - podCgroup: the cgroup in which programs in the node's pods run instead, below the root of the v2 hierarchy.
    init(ownCgroup: Bool = false, podCgroup: String? = nil) throws {
        let number = Self.count.add(1, ordering: .relaxed).newValue
        prefix = "dt-proxy-\(ProcessInformation.currentPID)-\(number)"
        cgroup = ownCgroup ? try "\(Cgroup.mountPoint())/\(prefix)" : nil
        self.podCgroup = try podCgroup.map { try "\(Cgroup.mountPoint())/\($0)" }
        let node = "\(prefix)-node"
        var script = """
            set -e
            ip netns add \(node)
            ip -n \(node) link set lo up
            ip netns exec \(node) sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
              net.ipv6.conf.default.accept_dad=0 net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0

            """
        for (index, name) in Self.neighbours.enumerated() {
            script += """
                ip netns add \(prefix)-\(name)
                ip netns exec \(prefix)-\(name) sysctl -qw net.ipv6.conf.default.accept_dad=0
                ip -n \(prefix)-\(name) link set lo up
                ip -n \(node) link add to-\(name) type veth peer name eth0 netns \(prefix)-\(name)
                ip -n \(node) addr add 10.1.\(index).1/24 dev to-\(name)
                ip -n \(node) addr add fd00:1:\(index)::1/64 dev to-\(name) nodad
                ip -n \(node) link set to-\(name) up
                ip -n \(prefix)-\(name) addr add 10.1.\(index).2/24 dev eth0
                ip -n \(prefix)-\(name) addr add fd00:1:\(index)::2/64 dev eth0 nodad
                ip -n \(prefix)-\(name) link set eth0 up
                ip -n \(prefix)-\(name) route add default via 10.1.\(index).1
                ip -n \(prefix)-\(name) route add default via fd00:1:\(index)::1

                """
        }
        // The node calls cluster addresses too, and needs a route to leave by.
        script += """
            ip -n \(node) route add default via 10.1.0.2
            ip -n \(node) route add default via fd00:1:0::2

            """
        do {
            for cgroup in [cgroup, self.podCgroup].compactMap(\.self) { try FileSystem.makeDirectory(cgroup) }
            try Self.shell(script)
            servers = try Program(
                Self.echoServers, Self.serving.map { [prefix] in "\(prefix)-\($0)=\($0)" }, in: "\(prefix)-client",
                cgroup: nil)
            _ = servers.prints { !$0.isEmpty }
        } catch {
            Self.remove(prefix, cgroup, podCgroup)
            throw error
        }
    }

    deinit {
        // Namespaces and cgroups end when nobody is in them any more.
        callers.withLock { $0 = [:] }
        if connectTimeOptions != nil { _ = try? run(in: "node") { try ConnectTimeBalancer.removeLeftovers() } }
        Self.remove(prefix, cgroup, podCgroup)
    }

    /// The cgroup in which a program in a namespace runs.
    private func cgroup(of name: String) -> String? {
        name.hasPrefix("pod-") ? podCgroup ?? cgroup : name == "node" ? cgroup : nil
    }

    /// The neighbours; the first is outside the cluster.
    private static let neighbours = ["client", "pod-1", "pod-2", "remote"]
    /// Those that have echo servers.
    private static let serving = ["pod-1", "pod-2", "remote"]

    /// The address of a neighbour, or the node's address on the link to it.
    static func address(_ family: IPFamily, of name: String, nodeSide: Bool = false) -> IPAddress {
        let index = UInt128(neighbours.firstIndex(of: name) ?? 0)
        let host: UInt128 = nodeSide ? 1 : 2
        return switch family {
        case .ipv4: IPAddress(family: family, bits: 0x0a01_0000 + index << 8 + host)
        case .ipv6: IPAddress(family: family, bits: 0xfd00_0001 << 96 + index << 80 + host)
        }
    }

    /// The blocks that the pods' addresses are in.
    static let podBlocks = [
        IPPrefix(address(.ipv4, of: "pod-1"), length: 24), IPPrefix(address(.ipv4, of: "pod-2"), length: 24),
        IPPrefix(address(.ipv6, of: "pod-1"), length: 48), IPPrefix(address(.ipv6, of: "pod-2"), length: 48),
    ]

    /// Runs `body` inside a namespace: "node" or a neighbour.
    func run<Value: ~Copyable>(in name: String, _ body: () throws -> Value) throws -> Value {
        try NetworkNamespace.open(name: "\(prefix)-\(name)").run(body)
    }

    /// What an echo server answers to a caller in a namespace, "refused", "timeout" or another error; a line each time.
    func call(
        _ address: IPAddress, _ port: UInt16, from name: String, transport: String = "tcp", times: Int = 1
    ) throws -> String {
        let call = Call(from: address, to: address, transport == "tcp" ? .tcp : .udp, port)
        return try answers(to: Array(repeating: (name, call, 4), count: times)).joined(separator: "\n")
    }

    /// What becomes of each call to a destination and port, all made at once, each from a namespace and with a time
    /// to wait in seconds.
    func answers(to calls: [(place: String, call: Call, seconds: Double)]) throws -> [String] {
        var answers = [String](repeating: "", count: calls.count)
        for (cgroup, indices) in Dictionary(grouping: calls.indices, by: { cgroup(of: calls[$0].place) }) {
            let orders = indices.map { ("\(prefix)-\(calls[$0].place)", calls[$0].call, calls[$0].seconds) }
            for (index, answer) in try zip(indices, caller(in: cgroup).answers(to: orders)) { answers[index] = answer }
        }
        return answers
    }

    /// The process that makes calls from a cgroup.
    private func caller(in cgroup: String?) throws -> Caller {
        try callers.withLock { callers in
            if let caller = callers[cgroup] { return caller }
            let caller = try Caller(cgroup: cgroup)
            callers[cgroup] = caller
            return caller
        }
    }

    /// Calls an address over UDP from a namespace, and answers like a router behind it whose next link takes packets of
    /// `mtu` bytes only.
    func tellPacketTooBig(_ address: IPAddress, _ port: UInt16, from name: String, mtu: Int) throws {
        try Self.shell(
            "ip netns exec \(prefix)-\(name) python3 - \(address) \(port) \(mtu) <<'E'\n\(Self.narrowRouter)\nE")
    }

    /// Calls an address again and again for a time; how many calls were answered, and how many failed.
    func callRepeatedly(
        _ address: IPAddress, _ port: UInt16, from name: String, seconds: Int
    ) throws -> (answered: Int, failed: Int, problem: String) {
        let output = try python(Self.persistentCaller, "\(address)", "\(port)", "\(seconds)", in: name)
        let words = output.split(separator: "\t", omittingEmptySubsequences: false)
        guard words.count == 3, let answered = Int(words[0]), let failed = Int(words[1]) else {
            throw CommandFailed(command: "call repeatedly", output: output)
        }
        return (answered, failed, String(words[2]))
    }

    /// A socket that sends a datagram every 50 ms, always from the same port.
    struct Flow {
        fileprivate let program: Program

        /// Waits until a text was printed; false when it is not within the time.
        func hasSaid(_ text: String) -> Bool {
            program.prints { $0.contains(text) }
        }

        /// Waits until an answer that was asked for from now on begins with a text; false when none does in time.
        func isAnswered(by text: String) -> Bool {
            var before: Int?
            return program.prints {
                let lines = $0.split(separator: "\n")
                // The next answer may have been under way already.
                let isLater = lines.count > (before ?? .max - 1) + 1
                before = before ?? lines.count
                return isLater && lines.last?.hasPrefix(text) ?? false
            }
        }
    }

    /// Opens a flow of datagrams to an address, from a connected socket.
    func startFlow(_ address: IPAddress, _ port: UInt16, from name: String) throws -> Flow {
        try start(Self.flowCaller, address, port, from: name)
    }

    /// Starts a Python program that sends datagrams to an address.
    func start(_ text: String, _ address: IPAddress, _ port: UInt16, from name: String) throws -> Flow {
        Flow(
            program: try Program(
                text, ["\(address)", "\(port)"], in: "\(prefix)-\(name)", cgroup: cgroup(of: name), lab: self))
    }

    /// What a Python program prints in a namespace.
    func python(_ text: String, _ arguments: String..., in name: String) throws -> String {
        let arguments = arguments.joined(separator: " ")
        return try Self.shell(
            "\(Self.entering(cgroup(of: name))) ip netns exec \(prefix)-\(name) python3 - \(arguments) <<'E'\n\(text)\nE"
        )
    }

    /// The beginning of a command whose process enters a cgroup.
    static func entering(_ cgroup: String?) -> String {
        cgroup.map { "echo $$ >\($0)/cgroup.procs;" } ?? ""
    }

    /// The output of a command run in a namespace.
    @discardableResult
    func shell(_ command: String, in name: String) throws -> String {
        try Self.shell("ip netns exec \(prefix)-\(name) bash -c '\(command)'")
    }

    private static func remove(_ prefix: String, _ cgroup: String?, _ podCgroup: String?) {
        // Those who were in them are ending.
        for cgroup in [podCgroup, cgroup].compactMap(\.self) {
            for _ in 0..<3000 {
                guard (try? FileSystem.remove(cgroup)) == nil, FileSystem.exists(cgroup) else { break }
                usleep(10_000)
            }
        }
        // Those above are another's while something is in them.
        if let podCgroup, let root = try? Cgroup.mountPoint() {
            let above = podCgroup.dropFirst(root.count + 1).split(separator: "/").dropLast().joined(separator: "/")
            _ = try? shell("cd \(root) && rmdir -p --ignore-fail-on-non-empty \(above)")
        }
        _ = try? shell(
            "for n in client pod-1 pod-2 remote node; do ip netns del \(prefix)-$n 2>/dev/null || true; done")
    }

    private struct CommandFailed: Error {
        let command: String
        let output: String
    }

    @discardableResult
    private static func shell(_ command: String) throws -> String {
        let output = try ChildProcess.output(
            of: ChildProcess.Specification(executable: "bash", arguments: ["-c", command]))
        let text = output.text + output.errorText
        guard output.status.isSuccess else { throw CommandFailed(command: command, output: text) }
        return text.split(whereSeparator: \.isNewline).joined(separator: "\n")
    }

    /// A Python program in a namespace; it ends when the value goes away.
    fileprivate final class Program: Sendable {
        private let process: ChildProcess
        private let output: String
        /// Namespaces and cgroups that must not go before the program has ended.
        private let lab: NodeLab?

        init(
            _ text: String, _ arguments: [String], in namespace: String, cgroup: String?, lab: NodeLab? = nil
        ) throws {
            self.lab = lab
            output = "/tmp/\(namespace)-\(NodeLab.count.add(1, ordering: .relaxed).newValue).out"
            var specification = ChildProcess.Specification(
                executable: "bash",
                arguments: ["-c", "\(NodeLab.entering(cgroup)) exec python3 -c \"$@\"", "bash", text] + arguments)
            specification.standardOutput = .file(output, append: false)
            specification.networkNamespace = NetworkNamespace.path(name: namespace)
            process = try ChildProcess.spawn(specification)
        }

        deinit {
            try? process.signal(9)
            _ = try? process.wait()
            try? FileSystem.remove(output)
        }

        /// Waits until what the program printed meets a condition; false when it does not within half a minute.
        func prints(_ condition: (String) -> Bool) -> Bool {
            for _ in 0..<3_000 {
                let bytes = (try? FileSystem.readFile(output)) ?? []
                if condition(String(decoding: bytes, as: UTF8.self)) { return true }
                usleep(10_000)
            }
            return false
        }
    }

    /// Takes namespaces and the names that are answered there.
    private static let echoServers = """
        import ctypes, os, selectors, socket, sys
        libc = ctypes.CDLL(None, use_errno=True)
        chooser = selectors.DefaultSelector()
        def answer(name, peer):
            address = peer[0]
            return f"{name} {address[7:] if address.startswith('::ffff:') else address}".encode()
        for namespace, name in (text.split("=") for text in sys.argv[1:]):
            with open("/run/netns/" + namespace) as place:
                if libc.setns(place.fileno(), 0x40000000) != 0: raise OSError(ctypes.get_errno(), "setns")
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                s = socket.socket(socket.AF_INET6, kind)
                s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.bind(("::", 8080))
                if kind == socket.SOCK_STREAM: s.listen(64)
                chooser.register(s, selectors.EVENT_READ, (kind, name))
        print("listening", flush=True)
        while True:
            for key, _ in chooser.select():
                kind, name = key.data
                if kind == socket.SOCK_STREAM:
                    connection, peer = key.fileobj.accept()
                    connection.sendall(answer(name, peer))
                    connection.close()
                else:
                    _, peer = key.fileobj.recvfrom(2048)
                    key.fileobj.sendto(answer(name, peer), peer)
        """

    private static let persistentCaller = """
        import socket, sys, time
        address, port, end = sys.argv[1], int(sys.argv[2]), time.monotonic() + int(sys.argv[3])
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        answered = failed = 0
        problem = ""
        while time.monotonic() < end:
            with socket.socket(family, socket.SOCK_STREAM) as s:
                s.settimeout(4)
                try:
                    s.connect((address, port))
                    answered += bool(s.recv(2048))
                except OSError as error:
                    failed += 1
                    problem = f"{end - time.monotonic():.1f} s before the end: {error!r}"
        print(answered, failed, problem, sep="\t")
        """

    private static let flowCaller = """
        import socket, sys, time
        address, port = sys.argv[1], int(sys.argv[2])
        s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        s.settimeout(0.05)
        s.connect((address, port))
        while True:
            time.sleep(0.05)
            try:
                s.send(b"?")
                print(s.recv(2048).decode(), flush=True)
            except OSError as error: print(error, flush=True)
        """

    private static let narrowRouter = """
        import socket, struct, sys
        address, port, mtu = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        def checksum(data):
            total = sum(struct.unpack(f"!{len(data) // 2}H", data))
            while total >> 16: total = (total & 0xffff) + (total >> 16)
            return ~total & 0xffff
        with socket.socket(family, socket.SOCK_DGRAM) as flow:
            flow.settimeout(4)
            flow.connect((address, port))
            flow.send(b"?")
            flow.recv(2048)
            own, own_port = flow.getsockname()[:2]
            # The beginning of an answer that was too long: from the address that was called, to here.
            ends = socket.inet_pton(family, address) + socket.inet_pton(family, own)
            datagram = struct.pack("!4H", port, own_port, 1380, 0) + bytes(16)
            if family == socket.AF_INET:
                head = struct.pack("!2B3H2BH", 0x45, 0, 1400, 1, 0x4000, 63, 17, 0) + ends
                head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
                error = struct.pack("!2B3H", 3, 4, 0, 0, mtu) + head + datagram
                error = error[:2] + struct.pack("!H", checksum(error)) + error[4:]
                kind = socket.IPPROTO_ICMP
            else:
                head = struct.pack("!IH2B", 6 << 28, 1380, 17, 63) + ends
                error = struct.pack("!2BHI", 2, 0, 0, mtu) + head + datagram
                kind = socket.IPPROTO_ICMPV6
            with socket.socket(family, socket.SOCK_RAW, kind) as router: router.sendto(error, (address, 0))
        """
}

extension NodeLab {
    /// Options that lead the calls of the lab's own cgroup, or of all pods; nil when it has neither.
    var connectTimeOptions: ConnectTimeOptions? {
        podCgroup != nil
            ? ConnectTimeOptions()
            : cgroup.flatMap { $0.split(separator: "/").last }.map { ConnectTimeOptions(cgroup: String($0)) }
    }
}
