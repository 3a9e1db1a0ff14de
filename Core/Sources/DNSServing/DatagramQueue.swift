import Addresses
import CLinux
import DNSResolution
import Glibc
import Linux

/// Memory for datagrams that are written one by one and sent with one system call.
@safe
final class DatagramQueue {
    /// Datagrams that have room.
    static let size = 64
    private let buffers: [MessageBuffer]
    private let peers = UnsafeMutablePointer<SocketAddress>.allocate(capacity: size)
    private let vectors = UnsafeMutablePointer<iovec>.allocate(capacity: size)
    private let headers = UnsafeMutablePointer<duet_mmsghdr>.allocate(capacity: size)
    /// The number of datagrams.
    private(set) var count = 0

    init() {
        buffers = (0..<Self.size).map { _ in MessageBuffer(capacity: 1536) }
        for index in 0..<Self.size {
            unsafe (peers + index).initialize(to: SocketAddress(.unspecified(.ipv4), port: 0))
            unsafe (vectors + index).initialize(to: iovec(iov_base: buffers[index].storage.baseAddress, iov_len: 0))
            unsafe (headers + index).initialize(to: duet_mmsghdr())
            unsafe headers[index].header.msg_iov = vectors + index
            unsafe headers[index].header.msg_iovlen = 1
        }
    }

    deinit {
        unsafe peers.deallocate()
        unsafe vectors.deallocate()
        unsafe headers.deallocate()
    }

    /// Whether it has to be sent before another datagram has room.
    var isFull: Bool { count == Self.size }

    /// Where the next datagram is to be written.
    ///
    /// - Precondition: the queue is not full.
    var next: MessageBuffer { buffers[count] }

    /// Puts what has been written among those to be sent; to `peer`, or to the one that the socket is connected to.
    func add(size: Int, to peer: SocketAddress? = nil) {
        unsafe vectors[count].iov_len = size
        if let peer { unsafe peers[count] = peer }
        // The address is the first thing in the value.
        unsafe headers[count].header.msg_name = peer == nil ? nil : UnsafeMutableRawPointer(peers + count)
        unsafe headers[count].header.msg_namelen = peer?.size ?? 0
        count += 1
    }

    /// Forgets what has not been sent.
    func forget() { count = 0 }

    /// Sends them all; the result is the places of those that the socket has not taken.
    func flush(_ socket: borrowing FileDescriptor) -> [Int] {
        var lost: [Int] = []
        var sent = 0
        while sent < count {
            let result = unsafe Int(
                duet_sendmmsg(socket.rawValue, headers + sent, UInt32(count - sent), Int32(MSG_DONTWAIT)))
            if result <= 0 { lost.append(sent) }  // the first one is to blame for an error
            sent += max(result, 1)
        }
        count = 0
        return lost
    }
}
