import Addresses
import TUN
import Translation
import Wire

/// What the device left to be done with a packet, in a form that outlasts the change of its headers.
struct Arrival {
    let offload: PacketOffload
    private let segmentation: OffloadHeader
    /// Where the checksum begins, and its headers end, counted from the packet's end, which does not move.
    private let checksumFromEnd: Int
    private let payloadFromEnd: Int

    /// A packet that nothing is left to be done with.
    static let whole = Arrival()

    private init() {
        offload = .none
        segmentation = OffloadHeader()
        checksumFromEnd = 0
        payloadFromEnd = 0
    }

    init(_ header: OffloadHeader, _ packet: Range<Int>, _ buffer: borrowing PacketBuffer) {
        let kind = header.segmentation
        // A device tells no other places than those inside the packet; what did would be as it is on the wire.
        guard let checksum = header.checksum, checksum.start + (kind == nil ? 2 : 20) <= packet.count || kind == .udp
        else {
            self = .whole
            return
        }
        segmentation = header
        checksumFromEnd = packet.count - checksum.start
        guard let kind else {
            offload = PacketOffload(hasPartialChecksum: true)
            payloadFromEnd = 0
            return
        }
        // The device's own idea of the headers' length is a hint that may be too long.
        let transport = packet.lowerBound + checksum.start
        let length = kind == .udp ? 8 : Int(unsafe buffer.bytes[transport + 12] >> 4) * 4
        payloadFromEnd = checksumFromEnd - length
        offload = PacketOffload(hasPartialChecksum: true, segmentLength: header.segmentSize + length)
    }

    /// What is left to be done with the packet that has become of it.
    ///
    /// - Parameter segmentLength: the transport header and payload of each segment, where they get shorter than they were.
    func header(
        for packet: Range<Int>, of family: IPFamily, segmentLength: Int? = nil, _ buffer: borrowing PacketBuffer
    ) -> OffloadHeader {
        var header = segmentation
        guard let checksum = header.checksum else { return header }
        header.checksum = (packet.count - checksumFromEnd, checksum.offset)
        guard let kind = header.segmentation else {
            header.headerLength = packet.count - checksumFromEnd + checksum.offset + 2
            return header
        }
        header.headerLength = packet.count - payloadFromEnd
        if let segmentLength { header.segmentSize = segmentLength - (checksumFromEnd - payloadFromEnd) }
        if kind != .udp { header.segmentation = family == .ipv4 ? .tcpOverIPv4 : .tcpOverIPv6 }
        return header
    }
}
