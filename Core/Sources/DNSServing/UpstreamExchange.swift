import DNSResolution
import Linux

/// How a message to another server travels, and where its answer comes.
enum UpstreamExchange {
    /// By a socket that others share.
    case datagram(UpstreamSocket)
    /// By a connection of its own.
    case stream(UpstreamStream)
}

/// One message on its way to another server and back, on a connection of its own.
final class UpstreamStream {
    private let socket: FileDescriptor
    private var output: [UInt8]
    private var input: [UInt8] = []

    /// Connects in order to send the message.
    init(_ upstream: Upstream, _ message: [UInt8], token: UInt64, _ poller: inout Poller) throws(SystemError) {
        socket = try Sockets.connect(upstream.address, port: upstream.port, isStream: true)
        output = MessageStream.framed(message)
        try poller.add(socket, .write, token: token)
    }

    /// Goes on when the socket is ready; the result is the next message.
    func progress(token: UInt64, _ poller: inout Poller) throws(SystemError) -> [UInt8]? {
        if !output.isEmpty {
            let count = try Sockets.send(socket, output[...])
            output.removeFirst(count)
            if output.isEmpty { try poller.modify(socket, .read, token: token) }
            return nil
        }
        guard let bytes = try Sockets.receive(socket, limit: 65537) else { return nil }
        guard !bytes.isEmpty else { throw SystemError(.connectionReset, "receive", "an answer") }
        input += bytes
        return MessageStream.takeMessage(&input)
    }
}
