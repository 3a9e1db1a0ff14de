public import Addresses
import Packet

/// Cuts a translated packet into fragments, in place.
///
/// Each fragment's headers are written right before its payload, over the fragment before it: a fragment must have been
/// sent when the next one is made.
public struct Fragmenter: Sendable {
    enum Header: Sendable {
        case ipv4(IPv4Header)
        case ipv6(IPv6Header, IPv6FragmentHeader)
    }

    private let header: Header
    /// Where the part of the payload begins that has not been sent.
    private var position: Int
    private let start: Int
    private let end: Int
    /// The payload of each fragment but the last.
    private let step: Int

    /// Makes a fragmenter of a payload in a buffer, with the header of the whole packet; the packet itself may be a
    /// fragment.
    init(_ header: Header, payload: Range<Int>, mtu: Int) {
        self.header = header
        start = payload.lowerBound
        position = payload.lowerBound
        end = payload.upperBound
        let overhead =
            switch header {
            case .ipv4: IPv4Header.minimumLength
            case .ipv6: IPv6Header.length + IPv6FragmentHeader.length
            }
        step = max((mtu - overhead) & ~7, 8)
    }

    /// The family of the fragments.
    public var family: IPFamily {
        switch header {
        case .ipv4: .ipv4
        case .ipv6: .ipv6
        }
    }

    /// The bytes of the payload that is cut.
    var payloadCount: Int { end - start }

    /// Makes the next fragment; nil when all have been made.
    @_lifetime(buffer: copy buffer)
    public mutating func next(in buffer: inout MutableRawSpan) -> Range<Int>? {
        guard position < end else { return nil }
        let count = min(step, end - position)
        let payload = position
        let distance = payload - start
        position += count
        let isLast = position == end
        switch header {
        case .ipv4(var ipv4):
            ipv4.totalLength = IPv4Header.minimumLength + count
            ipv4.fragment.offset += distance
            ipv4.fragment.hasMore = !isLast || ipv4.fragment.hasMore
            ipv4.write(to: &buffer, at: payload - IPv4Header.minimumLength)
            return (payload - IPv4Header.minimumLength)..<position
        case .ipv6(var ipv6, var fragment):
            ipv6.payloadLength = IPv6FragmentHeader.length + count
            fragment.position.offset += distance
            fragment.position.hasMore = !isLast || fragment.position.hasMore
            let first = payload - IPv6FragmentHeader.length - IPv6Header.length
            ipv6.write(to: &buffer, at: first)
            fragment.write(to: &buffer, at: payload - IPv6FragmentHeader.length)
            return first..<position
        }
    }
}
