import Addresses
import DNSResolution
import Linux

/// One message on its way to another server and back, on a socket of its own.
final class UpstreamExchange {
    private let socket: FileDescriptor
    private let isStream: Bool
    private var output: [UInt8]
    private var input: [UInt8] = []

    /// Sends a message, or connects in order to send it.
    init(_ upstream: Upstream, isStream: Bool, _ message: [UInt8], token: UInt64, _ poller: inout Poller)
        throws(SystemError)
    {
        socket = try Sockets.connect(upstream.address, port: upstream.port, isStream: isStream)
        self.isStream = isStream
        output = isStream ? MessageStream.framed(message) : []
        if !isStream { _ = try Sockets.send(socket, message[...]) }
        try poller.add(socket, isStream ? .write : .read, token: token)
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
        guard isStream else { return bytes }
        guard !bytes.isEmpty else { throw SystemError(.connectionReset, "receive", "an answer") }
        input += bytes
        return MessageStream.takeMessage(&input)
    }
}
