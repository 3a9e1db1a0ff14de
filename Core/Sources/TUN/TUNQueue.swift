internal import CLinux
internal import Glibc
public import Linux

/// One queue of a TUN device: IP packets that the kernel routes into it are read, and those written come out of it.
@safe
public struct TUNQueue: ~Copyable, Sendable {
    /// The descriptor, to wait for.
    public let descriptor: FileDescriptor
    /// Whether runs of UDP datagrams are read and written whole.
    public let segmentsDatagrams: Bool

    /// Makes a device, or one more queue of one that this process has made, and names it.
    ///
    /// The device goes away with its last queue, unless it is persistent. It leaves checksums and segmentation to whoever reads, UDP segmentation
    /// too where the kernel knows it (Linux 6.2), and takes packets in the same state.
    ///
    /// - Parameter name: a name of up to 15 bytes.
    public static func open(_ name: String) throws(SystemError) -> TUNQueue {
        guard !name.isEmpty, name.utf8.count < Int(IFNAMSIZ) else {
            throw SystemError(Errno(rawValue: EINVAL), "make TUN device, whose name has 1 to 15 bytes", name)
        }
        var bytes = name.utf8.map { CChar(bitPattern: $0) }
        bytes += [CChar](repeating: 0, count: Int(IFNAMSIZ) - bytes.count)
        let number = unsafe duet_tun_open(&bytes)
        guard number >= 0 else { throw SystemError(.last, "make TUN device", name) }
        let descriptor = FileDescriptor(owning: number)
        let segmentsDatagrams = duet_tun_set_offload(number, 1) == 0
        guard segmentsDatagrams || duet_tun_set_offload(number, 0) == 0 else {
            throw SystemError(.last, "set offloads of TUN device", name)
        }
        return TUNQueue(descriptor: descriptor, segmentsDatagrams: segmentsDatagrams)
    }

    /// Lets the device stay when its last queue is closed, with its addresses and routes, or go with it again.
    public func setPersistent(_ isPersistent: Bool) throws(SystemError) {
        guard duet_tun_set_persistent(descriptor.rawValue, isPersistent ? 1 : 0) == 0 else {
            throw SystemError(.last, "make TUN device persistent")
        }
    }

    /// Reads the next packet into a buffer, which is to have room for 65,575 bytes.
    ///
    /// - Returns: the length of the packet; nil if there is none at the moment.
    public func read(
        _ header: inout OffloadHeader, into buffer: UnsafeMutableRawBufferPointer
    ) throws(SystemError) -> Int? {
        while true {
            let count = unsafe duet_read_pair(
                descriptor.rawValue, &header.raw, MemoryLayout<virtio_net_hdr>.size, buffer.baseAddress, buffer.count)
            if count >= 0 { return max(count - MemoryLayout<virtio_net_hdr>.size, 0) }
            let errno = Errno.last
            if errno == .interrupted { continue }
            if errno.rawValue == EAGAIN { return nil }
            throw SystemError(errno, "read from TUN device")
        }
    }

    /// Writes a packet.
    public func write(_ header: OffloadHeader, _ packet: UnsafeRawBufferPointer) throws(SystemError) {
        var header = header
        while true {
            let count = unsafe duet_write_pair(
                descriptor.rawValue, &header.raw, MemoryLayout<virtio_net_hdr>.size, packet.baseAddress, packet.count)
            if count >= 0 { return }
            let errno = Errno.last
            if errno == .interrupted { continue }
            throw SystemError(errno, "write to TUN device")
        }
    }
}
