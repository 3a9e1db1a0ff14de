import Addresses
import Linux

/// A client's connection: messages led by their length in two bytes (RFC 1035 §4.2.2).
final class ClientStream {
    let socket: FileDescriptor
    let client: IPAddress
    /// When the connection ends unless something is heard, in milliseconds.
    private(set) var deadline: Int64
    private var input: [UInt8] = []
    private var output: [UInt8] = []
    /// Queries that wait for other servers.
    var waiting = 0
    /// Whether a whole message has come.
    private(set) var hasSpoken = false

    /// How long a connection may be silent at first, in milliseconds.
    private static let firstTime: Int64 = 5_000
    /// How long a connection may be idle after a query, in milliseconds.
    private static let idleTime: Int64 = 10_000
    /// How much may wait to be sent, in bytes, before nothing more is read.
    private static let maximumOutput = 256 * 1024
    /// Queries of one connection that may wait for other servers.
    static let maximumWaiting = 64

    init(socket: consuming FileDescriptor, client: IPAddress, now: Int64) {
        self.socket = socket
        self.client = client
        deadline = now + ClientStream.firstTime
    }

    /// Takes what has arrived; false at the end of the client's side.
    func receive() throws(SystemError) -> Bool {
        guard output.count < ClientStream.maximumOutput else { return true }
        guard let bytes = try Sockets.receive(socket, limit: 16384) else { return true }
        input += bytes
        return !bytes.isEmpty
    }

    /// The next whole message, without its length; only whole messages keep a connection alive.
    func nextMessage(now: Int64) -> [UInt8]? {
        guard let message = MessageStream.takeMessage(&input) else { return nil }
        deadline = now + ClientStream.idleTime
        hasSpoken = true
        return message
    }

    /// Appends a message to what is to be sent.
    func enqueue(_ message: [UInt8]) { output += MessageStream.framed(message) }

    /// Sends what the socket takes, and tells what to wait for next.
    func flush() throws(SystemError) -> Poller.Interest {
        while !output.isEmpty {
            let count = try Sockets.send(socket, output[...])
            guard count > 0 else { break }
            output.removeSubrange(..<count)
        }
        if output.isEmpty { return .read }
        return output.count < ClientStream.maximumOutput ? [.read, .write] : .write
    }
}

/// Messages on a stream.
public enum MessageStream {
    /// Removes the first whole message from a stream.
    public static func takeMessage(_ input: inout [UInt8]) -> [UInt8]? {
        guard input.count >= 2 else { return nil }
        let count = Int(input[0]) << 8 | Int(input[1])
        guard input.count >= 2 + count else { return nil }
        let message = Array(input[2..<(2 + count)])
        input.removeSubrange(..<(2 + count))
        return message
    }

    /// A message led by its length.
    public static func framed(_ message: [UInt8]) -> [UInt8] {
        [UInt8(truncatingIfNeeded: message.count >> 8), UInt8(truncatingIfNeeded: message.count)] + message
    }
}
