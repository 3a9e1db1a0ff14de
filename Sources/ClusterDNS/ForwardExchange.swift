import Addresses
import DNSMessage
import Linux

/// One request on its way: a datagram to a server, then, if the answer does not fit one, a stream to the same server.
final class ForwardExchange {
    private enum Phase {
        case datagram, connecting, reading
    }

    /// Keeps a socket open as long as it is wanted.
    private final class Holder {
        let descriptor: FileDescriptor

        init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
    }

    let request: ForwardRequest
    /// How many servers have been asked.
    var attempts = 0
    /// What a server that could not help said; nil if none said anything.
    var refusal: [UInt8]?
    /// When the server has had its time, in milliseconds.
    private(set) var deadline: Int64 = 0
    private var phase = Phase.datagram
    private var socket: Holder?
    private var server = IPAddress.unspecified(.ipv4)
    private var port: UInt16 = 0
    private var id: UInt16 = 0
    private var input: [UInt8] = []

    /// How long a server has, in milliseconds.
    private static let patience: Int64 = 2000

    init(request: ForwardRequest) { self.request = request }

    /// Sends the question to a server.
    func ask(
        _ server: IPAddress, port: UInt16, now: Int64, token: UInt64, _ poller: inout Poller
    ) throws(SystemError) {
        self.server = server
        self.port = port
        id = UInt16.random(in: .min ... .max)
        deadline = now + ForwardExchange.patience
        phase = .datagram
        let datagrams = try Sockets.connect(server, port: port, isStream: false)
        _ = try Sockets.send(datagrams, request.message(id: id)[...])
        try poller.add(datagrams, .read, token: token)
        socket = Holder(datagrams)
    }

    /// Goes on when the socket is ready; the result is the answer once it is complete.
    func progress(token: UInt64, _ poller: inout Poller) throws(SystemError) -> [UInt8]? {
        switch phase {
        case .datagram:
            guard let bytes = try receive(), request.isAnswered(by: bytes, id: id) else { return nil }
            guard DNSFlags(rawValue: UInt16(bytes[2]) << 8).contains(.truncated) else { return bytes }
            let stream = try Sockets.connect(server, port: port, isStream: true)
            try poller.add(stream, .write, token: token)
            socket = Holder(stream)
            phase = .connecting
            return nil
        case .connecting:
            try sendFramed(token: token, &poller)
            phase = .reading
            return nil
        case .reading:
            guard let bytes = try receive() else { return nil }
            guard !bytes.isEmpty else { throw SystemError(.noEntry, "receive", "answer of \(server)") }
            input += bytes
            guard let message = DNSStream.takeMessage(&input) else { return nil }
            guard request.isAnswered(by: message, id: id) else {
                throw SystemError(.invalidArgument, "understand", "answer of \(server)")
            }
            return message
        }
    }

    private func receive() throws(SystemError) -> [UInt8]? {
        guard let socket else { return nil }
        return try Sockets.receive(socket.descriptor, limit: 65535)
    }

    /// Sends the question over the stream that has just been connected; so few bytes always fit.
    private func sendFramed(token: UInt64, _ poller: inout Poller) throws(SystemError) {
        let message = DNSStream.framed(request.message(id: id))
        guard let socket else { return }
        _ = try Sockets.send(socket.descriptor, message[...])
        try poller.modify(socket.descriptor, .read, token: token)
    }
}
