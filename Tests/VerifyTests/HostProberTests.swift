import Addresses
import Foundation
import Linux
import Testing
import Verify

/// Requests to small servers on the loopback addresses.
@Suite("Requests from the host")
struct HostProberTests {
    /// A Python server on a free port; it ends with the value.
    private final class Server {
        let process: ChildProcess
        let port: UInt16
        private let output: String

        init(_ kind: String, on address: IPAddress) throws {
            output = "/tmp/dt-proxy-verify-\(ProcessInformation.currentPID)-\(UInt32.random(in: 0...UInt32.max)).out"
            var specification = ChildProcess.Specification(
                executable: "python3", arguments: ["-c", Self.program, kind, address.description])
            specification.standardOutput = .file(output, append: false)
            process = try ChildProcess.spawn(specification)
            var port: UInt16?
            for _ in 0..<500 where port == nil {
                usleep(10_000)
                let text = String(decoding: (try? FileSystem.readFile(output)) ?? [], as: UTF8.self)
                port = text.hasSuffix("\n") ? UInt16(text.dropLast()) : nil
            }
            self.port = try #require(port, "the server does not start")
        }

        deinit {
            try? process.signal(9)
            _ = try? process.wait()
            try? FileSystem.remove(output)
        }

        /// Answers HTTP with a status; or DNS: the question's name has one address of the asked type.
        private static let program = """
            import socket, sys
            kind, address = sys.argv[1], sys.argv[2]
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            s = socket.socket(family, socket.SOCK_DGRAM if kind == "dns" else socket.SOCK_STREAM)
            s.bind((address, 0))
            if kind != "dns": s.listen()
            print(s.getsockname()[1], flush=True)
            while True:
                if kind == "dns":
                    query, peer = s.recvfrom(512)
                    wide = query[-4:-2] == bytes([0, 28])
                    data = socket.inet_pton(socket.AF_INET6 if wide else socket.AF_INET, "fd00::7" if wide else "10.0.0.7")
                    answer = query[:2] + bytes([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]) + query[12:]
                    answer += bytes([0xc0, 12]) + query[-4:] + bytes([0, 0, 0, 30, 0, len(data)]) + data
                    s.sendto(answer, peer)
                else:
                    connection, _ = s.accept()
                    if kind == "silent": continue
                    connection.recv(4096)
                    connection.sendall(f"HTTP/1.1 {kind} X\\r\\nConnection: close\\r\\n\\r\\nhello".encode())
                    connection.close()
            """
    }

    static let loopback = ["127.0.0.1", "::1"]

    private func probe(
        _ address: IPAddress, _ port: UInt16, _ request: Probe.Request
    ) async -> ProbeResult.Outcome {
        let probe = Probe(
            service: "web/web", family: address.family, target: .clusterIP(address), port: port, request: request,
            from: .host)
        return await HostProber(nameServers: [address], timeoutSeconds: 1).perform(probe).outcome
    }

    @Test("A server that answers counts, whatever the family", arguments: loopback)
    func answers(text: String) async throws {
        let address = try #require(IPAddress(text))
        let web = try Server("200", on: address)
        #expect(await probe(address, web.port, .http) == .answered)
        #expect(await probe(address, web.port, .connection) == .answered)
        let dns = try Server("dns", on: address)
        #expect(await probe(address, dns.port, .query("kubernetes.default.svc.cluster.local")) == .answered)
    }

    @Test("A refusal, an error and a silence are told apart", arguments: loopback)
    func failures(text: String) async throws {
        let address = try #require(IPAddress(text))
        let broken = try Server("503", on: address)
        #expect(
            await probe(address, broken.port, .http)
                == .failed("\(address.uriHost):\(broken.port) answers with status 503"))
        let silent = try Server("silent", on: address)
        guard case .failed = await probe(address, silent.port, .http) else {
            Issue.record("a server that says nothing counts as an answer")
            return
        }
        #expect(await probe(address, 1, .connection) != .answered)
    }
}
