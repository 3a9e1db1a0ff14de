import Addresses
public import Linux

/// Serves a server's `/metrics` over HTTP, one question after the other, on a thread that ends with the server.
public enum MetricsListener {
    /// How long a client has for its question, in milliseconds.
    private static let patience: Int32 = 2000

    /// Listens on all addresses of the machine.
    public static func start(_ state: DNSServerState, port: UInt16) throws(SystemError) {
        let socket = Holder(try Sockets.open(.unspecified(.ipv6), port: port, isStream: true, acceptsBoth: true))
        try OSThread.detach(name: "dns-metrics") {
            guard var poller = Poller.watching(socket.descriptor, state) else { return }
            var tokens: [UInt64] = []
            var client = IPAddress.unspecified(.ipv6)
            while !state.isStopped {
                poller.wait(milliseconds: 500, into: &tokens)
                while let connection = Sockets.accept(socket.descriptor, from: &client) {
                    do throws(SystemError) {
                        try answer(connection, state)
                    } catch {
                        state.losses.count(.metricsRequest)
                    }
                }
            }
        }
    }

    private static func answer(_ connection: borrowing FileDescriptor, _ state: DNSServerState) throws(SystemError) {
        var poller = try Poller()
        try poller.add(connection, .read, token: 0)
        var tokens: [UInt64] = []
        let end = monotonicMilliseconds() + Int64(patience)
        var request: [UInt8] = []
        while !request.ends(with: Array("\r\n\r\n".utf8)), request.count < 8192 {
            poller.wait(milliseconds: patience, into: &tokens)
            guard monotonicMilliseconds() < end else { throw SystemError(.timedOut, "receive", "a request") }
            guard let received = try Sockets.receive(connection, limit: 4096) else { continue }
            guard !received.isEmpty else { throw SystemError(.connectionReset, "receive", "a request") }
            request += received
        }
        let isKnown = request.starts(with: Array("GET /metrics".utf8))
        let body = isKnown ? MetricsText(state).text : "not found: there is /metrics\n"
        let head =
            "HTTP/1.1 \(isKnown ? "200 OK" : "404 Not Found")\r\nContent-Type: \(MetricsText.type)\r\n"
            + "Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n"
        var output = Array((head + body).utf8)[...]
        try poller.modify(connection, .write, token: 0)
        while !output.isEmpty {
            poller.wait(milliseconds: patience, into: &tokens)
            guard monotonicMilliseconds() < end else { throw SystemError(.timedOut, "send", "the metrics") }
            output = output.dropFirst(try Sockets.send(connection, output))
        }
    }
}

extension Poller {
    /// A poller for a listening socket; nil, and counted, if the kernel refuses.
    static func watching(_ socket: borrowing FileDescriptor, _ state: DNSServerState) -> Poller? {
        do throws(SystemError) {
            let poller = try Poller()
            try poller.add(socket, .read, token: 0)
            return poller
        } catch {
            state.losses.count(.system)
            return nil
        }
    }
}

extension [UInt8] {
    fileprivate func ends(with other: [UInt8]) -> Bool { suffix(other.count).elementsEqual(other) }
}
