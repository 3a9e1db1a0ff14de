package import Addresses
internal import DNSMessage
internal import Linux

/// Makes requests from this machine, through its own sockets.
package struct HostProber: Prober {
    /// The addresses of the cluster's DNS.
    package let nameServers: [IPAddress]
    let timeoutSeconds: Int
    private static let dnsPort: UInt16 = 53

    package init(nameServers: [IPAddress], timeoutSeconds: Int) {
        self.nameServers = nameServers
        self.timeoutSeconds = timeoutSeconds
    }

    package func resolve(_ name: String, _ family: IPFamily, from: Probe.VantagePoint) async throws -> Set<IPAddress> {
        // The server of the same family where there is one: the name is then resolved without the other family.
        guard let server = nameServers.first(where: { $0.family == family }) ?? nameServers.first else {
            throw ProbeFailure("the cluster has no DNS Service to resolve \(name)")
        }
        return try await onThread { try query(name, family, server: server, port: Self.dnsPort) }
    }

    package func request(
        _ request: Probe.Request, to address: IPAddress, port: UInt16, from: Probe.VantagePoint
    ) async throws {
        try await onThread {
            switch request {
            case .connection:
                _ = try HostSocket.connected(to: address, port: port, timeoutSeconds: timeoutSeconds)
            case .http:
                try get(address, port: port)
            case .query(let name):
                // The type that exists depends on the cluster's families, not on that of the server.
                let found = try nameServers.map(\.family).flatMap {
                    try query(name, $0, server: address, port: port)
                }
                guard !found.isEmpty else { throw ProbeFailure("\(address) answers \(name) without an address") }
            }
        }
    }

    /// Whether every one of the name servers answers a query for a name, be it without an address.
    ///
    /// It is asked on the calling thread, and so from the network namespace that this is in.
    package func nameServersAnswer(_ name: String) -> Bool {
        nameServers.allSatisfy { (try? query(name, $0.family, server: $0, port: Self.dnsPort)) != nil }
    }

    private func get(_ address: IPAddress, port: UInt16) throws {
        let socket = try HostSocket.connected(to: address, port: port, timeoutSeconds: timeoutSeconds)
        let head = "GET / HTTP/1.1\r\nHost: \(address.uriHost):\(port)\r\nConnection: close\r\n\r\n"
        try socket.send(Array(head.utf8))
        var response: [UInt8] = []
        while true {
            let part = try socket.receive()
            if part.isEmpty { break }
            response += part
        }
        guard let code = HTTPStatus.code(in: response) else {
            throw ProbeFailure("\(address.uriHost):\(port) does not answer in HTTP")
        }
        guard (200..<400).contains(code) else {
            throw ProbeFailure("\(address.uriHost):\(port) answers with status \(code)")
        }
    }

    /// The addresses that a server answers with for a name.
    private func query(_ name: String, _ family: IPFamily, server: IPAddress, port: UInt16) throws -> Set<IPAddress> {
        guard let question = DNSName(name) else { throw ProbeFailure("\(name) is no domain name") }
        let socket = try HostSocket.connected(
            to: server, port: port, datagrams: true, timeoutSeconds: timeoutSeconds)
        let query = DNSMessage.query(id: .random(in: 0...UInt16.max), name: question, type: .address(of: family))
        try socket.send(query.serialized())
        let answer = try DNSMessage(parsing: try socket.receive())
        guard answer.id == query.id, answer.responseCode == .noError else {
            throw ProbeFailure("\(server) answers \(name) with \(answer.responseCode)")
        }
        return Set(answer.answers.compactMap(\.data.address))
    }

    /// Runs calls that block on a thread of their own.
    private func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            do throws(SystemError) {
                try OSThread.detach(name: "probe") { continuation.resume(with: Result(catching: body)) }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }
}

extension DNSRecordType {
    /// The type of the records that hold addresses of a family.
    static func address(of family: IPFamily) -> DNSRecordType {
        DNSRecordData(IPAddress(family: family, bits: 0)).type
    }
}

extension DNSRecordData {
    /// The address that an address record holds.
    fileprivate var address: IPAddress? {
        switch self {
        case .a(let address): .v4(address)
        case .aaaa(let address): .v6(address)
        default: nil
        }
    }
}
