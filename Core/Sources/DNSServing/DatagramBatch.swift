import Addresses
import CLinux
import DNSResolution
import Glibc
import Linux

/// Memory for many datagrams that are received, answered and sent with two system calls.
@safe
final class DatagramBatch {
    /// Datagrams in one batch.
    static let size = 64
    /// The size of the largest query; longer ones are cut, and then malformed.
    private static let inputSize = 4096
    private let inputs = UnsafeMutableRawPointer.allocate(byteCount: size * inputSize, alignment: 64)
    private let peers = UnsafeMutablePointer<sockaddr_storage>.allocate(capacity: size)
    private let vectors = UnsafeMutablePointer<iovec>.allocate(capacity: size * 2)
    private let received = UnsafeMutablePointer<duet_mmsghdr>.allocate(capacity: size)
    private let answers = UnsafeMutablePointer<duet_mmsghdr>.allocate(capacity: size)
    /// The answers, one for each datagram.
    let outputs: [MessageBuffer]
    private var queued = 0
    /// The datagrams of the last batch: their headers are to be made ready, and no others touched, since most batches of a
    /// server that has little to do hold one or two.
    private var used = size

    init() {
        outputs = (0..<Self.size).map { _ in MessageBuffer(capacity: 1536) }
        for index in 0..<Self.size {
            unsafe peers[index] = sockaddr_storage()
            unsafe vectors[index] = iovec(iov_base: inputs + index * Self.inputSize, iov_len: Self.inputSize)
            unsafe vectors[Self.size + index] = iovec(iov_base: outputs[index].storage.baseAddress, iov_len: 0)
            unsafe received[index] = duet_mmsghdr()
            unsafe received[index].header.msg_name = UnsafeMutableRawPointer(peers + index)
            unsafe received[index].header.msg_iov = vectors + index
            unsafe received[index].header.msg_iovlen = 1
            unsafe answers[index] = duet_mmsghdr()
        }
    }

    deinit {
        unsafe inputs.deallocate()
        unsafe peers.deallocate()
        unsafe vectors.deallocate()
        unsafe received.deallocate()
        unsafe answers.deallocate()
    }

    /// Takes what has arrived; the result is the number of datagrams, and negative for an error.
    @inline(__always)
    func receive(_ socket: borrowing FileDescriptor) -> Int {
        queued = 0
        for index in 0..<used {
            unsafe received[index].header.msg_namelen = socklen_t(MemoryLayout<sockaddr_storage>.size)
        }
        let flags = Int32(MSG_DONTWAIT)
        let count = unsafe Int(duet_recvmmsg(socket.rawValue, received, UInt32(Self.size), flags))
        used = max(count, 0)
        return count
    }

    /// Takes what has arrived on a connected socket, whose errors are those of the other end.
    func receiveAnswers(_ socket: borrowing FileDescriptor) throws(SystemError) -> Int {
        let count = receive(socket)
        guard count < 0 else { return count }
        guard errno == EAGAIN || errno == EINTR else { throw SystemError(.last, "receive") }
        return 0
    }

    /// Calls `body` with the bytes of a datagram.
    @inline(__always)
    func withBytes<Result>(of index: Int, _ body: (RawSpan) -> Result) -> Result {
        let length = unsafe min(Int(received[index].length), Self.inputSize)
        return unsafe body(RawSpan(_unsafeStart: inputs + index * Self.inputSize, byteCount: length))
    }

    /// Calls `body` with the bytes of a datagram as a message.
    func withMessage<Result>(of index: Int, _ body: (Span<UInt8>) -> Result) -> Result {
        let length = unsafe min(Int(received[index].length), Self.inputSize)
        let start = unsafe (inputs + index * Self.inputSize).assumingMemoryBound(to: UInt8.self)
        return unsafe body(Span(_unsafeStart: start, count: length))
    }

    /// Who a datagram is from.
    @inline(__always)
    func client(_ index: Int) -> IPAddress { unsafe SocketAddress.address(of: peers[index]) }

    /// Where the answer to a datagram goes.
    func peer(_ index: Int) -> SocketAddress {
        unsafe SocketAddress(peers[index], size: received[index].header.msg_namelen)
    }

    /// Puts the answer to a datagram among those to be sent.
    @inline(__always)
    func queue(_ index: Int, size: Int) {
        unsafe vectors[Self.size + index].iov_len = size
        unsafe answers[queued].header.msg_name = UnsafeMutableRawPointer(peers + index)
        unsafe answers[queued].header.msg_namelen = received[index].header.msg_namelen
        unsafe answers[queued].header.msg_iov = vectors + Self.size + index
        unsafe answers[queued].header.msg_iovlen = 1
        queued += 1
    }

    /// The size of a datagram.
    func length(of index: Int) -> Int { unsafe Int(received[index].length) }

    /// Sends the answers; the result is the number of those that the socket has not taken.
    func flush(_ socket: borrowing FileDescriptor) -> Int {
        var sent = 0
        var lost = 0
        while sent < queued {
            let flags = Int32(MSG_DONTWAIT)
            let count = unsafe Int(duet_sendmmsg(socket.rawValue, answers + sent, UInt32(queued - sent), flags))
            if count <= 0 { lost += 1 }  // the first one is to blame for an error
            sent += max(count, 1)
        }
        queued = 0
        return lost
    }
}
