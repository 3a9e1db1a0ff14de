public import Addresses
import Packet
import Wire

/// Cuts a translated packet into fragments, in place.
///
/// Each fragment's headers are written right before its payload, over the fragment before it: a fragment must have been
/// sent when the next one is made, and may not have been changed.
@frozen
public struct Fragmenter: Hashable, Sendable {
    /// The family of the fragments.
    public let family: IPFamily
    /// Whether the packet is itself a fragment that others follow.
    @usableFromInline let hasMore: Bool
    /// Where the headers stand that the next fragment's are made from.
    @usableFromInline var headers: Int
    /// Where the part of the payload begins that has not been sent.
    @usableFromInline var position: Int
    @usableFromInline let end: Int
    /// The payload of each fragment but the last.
    @usableFromInline let step: Int

    /// Makes a fragmenter of a packet whose IPv4 header, or IPv6 and fragment headers, stand before its payload.
    init(_ family: IPFamily, payload: Range<Int>, hasMore: Bool, mtu: Int) {
        self.family = family
        self.hasMore = hasMore
        let overhead = Fragmenter.headerLength(family)
        headers = payload.lowerBound - overhead
        position = payload.lowerBound
        end = payload.upperBound
        step = max((mtu - overhead) & ~7, 8)
    }

    /// The bytes of the packet, its headers included.
    var count: Int { end - headers }

    /// Makes the next fragment; nil when all have been made.
    @_lifetime(buffer: copy buffer)
    public mutating func next(in buffer: inout MutableRawSpan) -> Range<Int>? {
        guard position < end else { return nil }
        let length = Fragmenter.headerLength(family)
        let count = min(step, end - position)
        // The first fragment stands at the offset of the packet, each later one a step behind the one before.
        let distance = headers + length == position ? 0 : step
        let first = position - length
        buffer.move(from: headers, to: first, count: length)
        headers = first
        position += count
        let hasMore = position < end || hasMore
        switch family {
        case .ipv4: writeIPv4(&buffer, at: first, count: count, distance: distance, hasMore: hasMore)
        case .ipv6: writeIPv6(&buffer, at: first, count: count, distance: distance, hasMore: hasMore)
        }
        return first..<position
    }

    @_lifetime(buffer: copy buffer)
    private func writeIPv4(
        _ buffer: inout MutableRawSpan, at first: Int, count: Int, distance: Int, hasMore: Bool
    ) {
        guard var header = IPv4Header(reading: buffer.bytes.extracting(first..<(first + IPv4Header.minimumLength)))
        else { return }
        header.totalLength = IPv4Header.minimumLength + count
        header.fragment.offset += distance
        header.fragment.hasMore = hasMore
        header.write(to: &buffer, at: first)
    }

    @_lifetime(buffer: copy buffer)
    private func writeIPv6(
        _ buffer: inout MutableRawSpan, at first: Int, count: Int, distance: Int, hasMore: Bool
    ) {
        buffer.store(UInt16(IPv6FragmentHeader.length + count), at: first + 4)
        let field = first + IPv6Header.length + 2
        let offset = Int(buffer.load(UInt16.self, at: field) & 0xFFF8) + distance
        buffer.store(UInt16(offset) | (hasMore ? 1 : 0), at: field)
    }

    private static func headerLength(_ family: IPFamily) -> Int {
        family == .ipv4 ? IPv4Header.minimumLength : IPv6Header.length + IPv6FragmentHeader.length
    }
}
