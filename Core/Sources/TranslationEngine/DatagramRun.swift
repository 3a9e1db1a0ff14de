import Addresses
import Packet
import TUN
import Wire

/// Datagrams of one flow, one after the other and of one size, which leave as one packet for the kernel to cut
/// (UDP segmentation): small ones cost most on their way through the kernel, which they then take together.
///
/// Only what comes without a pause is put together, so that none waits.
struct DatagramRun: ~Copyable {
    /// The datagrams that the kernel cuts one packet into at most (`UDP_MAX_SEGMENTS` before Linux 6.9).
    static let longest = 64
    /// The bytes of a packet that is put together, below the 65,535 of both families.
    private static let room = 60_000

    private let buffer = PacketBuffer()
    /// The datagrams that are together.
    private(set) var count = 0
    private var length = 0
    private var headerLength = 0
    private var segment = 0
    /// Whether a shorter datagram has ended the run.
    private var isEnded = false
    /// What is left to be done with the first datagram, which leaves as it is if it stays alone.
    private var first = OffloadHeader()

    /// What a datagram is joined by.
    private struct Shape {
        let headerLength: Int
        let payload: Int
    }

    /// Puts a packet behind those that are together.
    ///
    /// - Returns: false for one that does not fit to them, and for one that never does.
    mutating func append(_ packet: RawSpan, _ header: OffloadHeader) -> Bool {
        guard header.segmentation == nil, let shape = DatagramRun.shape(of: packet, header) else { return false }
        if count == 0 {
            headerLength = shape.headerLength
            segment = shape.payload
            first = header
            copy(packet, from: 0, to: 0)
            (count, length, isEnded) = (1, packet.byteCount, false)
            return true
        }
        guard !isEnded, count < DatagramRun.longest, shape.headerLength == headerLength, shape.payload <= segment,
            length + shape.payload <= DatagramRun.room, hasHeaders(of: packet)
        else { return false }
        copy(packet, from: headerLength, to: length)
        count += 1
        length += shape.payload
        isEnded = shape.payload < segment
        return true
    }

    /// What is together, to be written, with what is left to be done with it; nothing is together afterwards.
    mutating func take(_ write: (OffloadHeader, UnsafeRawBufferPointer) -> Void) {
        guard count > 0 else { return }
        var header = first
        if count > 1 { header = close() }
        unsafe write(header, UnsafeRawBufferPointer(rebasing: buffer.bytes[..<length]))
        count = 0
    }

    /// The shape of a UDP datagram with a right checksum; nil for every other packet.
    private static func shape(of packet: RawSpan, _ header: OffloadHeader) -> Shape? {
        guard packet.byteCount > IPv6Header.length + 8 || packet.byteCount > IPv4Header.minimumLength + 8 else {
            return nil
        }
        let network: Int
        switch packet.load(UInt8.self, at: 0) {
        case 0x45:
            guard packet.load(UInt8.self, at: 9) == IPProtocol.udp.rawValue,
                packet.load(UInt16.self, at: 6) & 0x3FFF == 0,
                Int(packet.load(UInt16.self, at: 2)) == packet.byteCount
            else { return nil }
            network = IPv4Header.minimumLength
        case 0x60...0x6F:
            guard packet.byteCount > IPv6Header.length + 8,
                packet.load(UInt8.self, at: 6) == IPProtocol.udp.rawValue,
                Int(packet.load(UInt16.self, at: 4)) == packet.byteCount - IPv6Header.length
            else { return nil }
            network = IPv6Header.length
        default: return nil
        }
        let payload = packet.byteCount - network - 8
        guard Int(packet.load(UInt16.self, at: network + 4)) == payload + 8 else { return nil }
        // The kernel makes checksums anew: a wrong one must not become right by that, and one left out stays out.
        if header.checksum == nil {
            guard packet.load(UInt16.self, at: network + 6) != 0 else { return nil }
            var sum = pseudoHeader(packet, payload + 8)
            sum.add(packet.extracting(network..<packet.byteCount))
            guard sum.folded == 0xFFFF else { return nil }
        }
        return Shape(headerLength: network + 8, payload: payload)
    }

    /// The sum of a packet's pseudo-header, for a transport of a length.
    private static func pseudoHeader(_ packet: RawSpan, _ length: Int) -> InternetChecksum {
        var sum = InternetChecksum()
        let isIPv4 = packet.load(UInt8.self, at: 0) >> 4 == 4
        sum.add(isIPv4 ? packet.extracting(12..<20) : packet.extracting(8..<40))
        sum.add(UInt32(length))
        sum.add(UInt16(IPProtocol.udp.rawValue))
        return sum
    }

    /// Whether a packet of the same header length has the same headers but for lengths, identification and checksums.
    private func hasHeaders(of packet: RawSpan) -> Bool {
        let own = unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: buffer.bytes[..<headerLength]))
        let network = headerLength - 8
        guard packet.load(UInt32.self, at: network) == own.load(UInt32.self, at: network) else { return false }
        if network == IPv4Header.minimumLength {
            return packet.load(UInt16.self, at: 0) == own.load(UInt16.self, at: 0)
                && packet.load(UInt32.self, at: 6) == own.load(UInt32.self, at: 6)
                && packet.load(UInt64.self, at: 12) == own.load(UInt64.self, at: 12)
        }
        return packet.load(UInt32.self, at: 0) == own.load(UInt32.self, at: 0)
            && packet.load(UInt16.self, at: 6) == own.load(UInt16.self, at: 6)
            && packet.load(UInt128.self, at: 8) == own.load(UInt128.self, at: 8)
            && packet.load(UInt128.self, at: 24) == own.load(UInt128.self, at: 24)
    }

    private func copy(_ packet: RawSpan, from start: Int, to place: Int) {
        unsafe packet.withUnsafeBytes { bytes in
            let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[start...])
            unsafe UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[place...]).copyMemory(from: part)
        }
    }

    /// Writes the headers of the packet that the datagrams have become.
    private func close() -> OffloadHeader {
        let network = headerLength - 8
        var span = unsafe MutableRawSpan(_unsafeBytes: buffer.bytes)
        if network == IPv4Header.minimumLength {
            span.store(UInt16(length), at: 2)
            span.store(UInt16(0), at: 10)
            var sum = InternetChecksum()
            sum.add(span.bytes.extracting(0..<network))
            span.store(sum.value, at: 10)
        } else {
            span.store(UInt16(length - network), at: 4)
        }
        span.store(UInt16(length - network), at: network + 4)
        let sum = DatagramRun.pseudoHeader(span.bytes.extracting(0..<length), length - network)
        span.store(sum.folded, at: network + 6)
        var header = OffloadHeader()
        header.segmentation = .udp
        header.segmentSize = segment
        header.checksum = (network, 6)
        header.headerLength = headerLength
        return header
    }
}
