import Linux

/// A client's connection: messages led by their length in two bytes (RFC 1035 §4.2.2).
final class DNSStream {
    let socket: FileDescriptor
    /// When an idle connection ends, in milliseconds.
    private(set) var deadline: Int64
    private var input: [UInt8] = []
    private var output: [UInt8] = []

    /// How long a connection may be idle, in milliseconds.
    private static let idleTime: Int64 = 10_000
    /// How much may wait to be sent, in bytes, before nothing more is read.
    private static let maximumOutput = 256 * 1024

    init(socket: consuming FileDescriptor, now: Int64) {
        self.socket = socket
        deadline = now + DNSStream.idleTime
    }

    /// Takes what has arrived; false at the end of the client's side.
    func receive(now: Int64) throws(SystemError) -> Bool {
        guard output.count < DNSStream.maximumOutput else { return true }
        guard let bytes = try Sockets.receive(socket, limit: 65536 + 2) else { return true }
        deadline = now + DNSStream.idleTime
        input += bytes
        return !bytes.isEmpty
    }

    /// The next whole message, without its length.
    func nextMessage() -> [UInt8]? { DNSStream.takeMessage(&input) }

    /// Removes the first whole message from a stream.
    static func takeMessage(_ input: inout [UInt8]) -> [UInt8]? {
        guard input.count >= 2 else { return nil }
        let count = Int(input[0]) << 8 | Int(input[1])
        guard input.count >= 2 + count else { return nil }
        let message = Array(input[2..<(2 + count)])
        input.removeSubrange(..<(2 + count))
        return message
    }

    /// A message led by its length.
    static func framed(_ message: [UInt8]) -> [UInt8] {
        [UInt8(truncatingIfNeeded: message.count >> 8), UInt8(truncatingIfNeeded: message.count)] + message
    }

    /// Appends a message to what is to be sent.
    func enqueue(_ message: [UInt8]) { output += DNSStream.framed(message) }

    /// Sends what the socket takes, and tells what to wait for next.
    func flush() throws(SystemError) -> Poller.Interest {
        while !output.isEmpty {
            let count = try Sockets.send(socket, output[...])
            guard count > 0 else { break }
            output.removeSubrange(..<count)
        }
        if output.isEmpty { return .read }
        return output.count < DNSStream.maximumOutput ? [.read, .write] : .write
    }
}
