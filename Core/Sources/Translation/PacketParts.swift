import Addresses
import Packet
import Wire

/// An IPv4 packet in a buffer, or the beginning of one inside an ICMP error, with the places of its parts.
struct IPv4Parts {
    let header: IPv4Header
    let start: Int
    /// Where the transport header, or a later fragment's payload, begins.
    let transport: Int
    /// Where the bytes end that are there.
    let end: Int
    /// The bytes of the transport that the header promises.
    let transportLength: Int

    var fragment: FragmentPosition { header.fragment }
    var `protocol`: IPProtocol { header.protocol }
    var available: Int { end - transport }

    /// The sum of the addresses in the pseudo-header.
    var addressSum: InternetChecksum { Rewrite(source: header.source, destination: header.destination).addressSum }

    /// Looks at a packet that is to be translated, and finds all that forbids it but addresses, size and ICMP types.
    init(_ buffer: borrowing MutableRawSpan, packet: Range<Int>) throws(Refusal) {
        let bytes = buffer.bytes.extracting(packet)
        guard let view = IPv4Packet(bytes) else { throw Refusal(.malformed) }
        guard view.hasValidChecksum else { throw Refusal(.badChecksum) }
        header = view.header
        start = packet.lowerBound
        transport = start + view.headerLength
        end = start + view.totalLength
        transportLength = end - transport
        // Routers have addresses that hosts may not have, and what they say counts (RFC 7915 §4.1).
        guard !header.source.isIllegal || !header.source.isGroup && fragment.isFirst && available > 0 && isError(buffer)
        else { throw Refusal(.illegalSource) }
        guard !header.destination.isIllegal else { throw Refusal(.illegalDestination) }
        if view.headerLength > IPv4Header.minimumLength, view.hasUnexpiredSourceRoute {
            throw Refusal(
                .sourceRoute, ICMPAnswer(type: ICMPv4Type.destinationUnreachable.rawValue, code: 5))
        }
        guard header.timeToLive > 1 else {
            throw Refusal(.hopLimit, ICMPAnswer(type: ICMPv4Type.timeExceeded.rawValue, code: 0))
        }
        guard header.fragment.isWhole || header.protocol != .icmpv4 else {
            throw Refusal(.fragmentedICMP, .prohibitedIPv4)
        }
        guard !header.fragment.hasMore || transportLength % 8 == 0,
            header.fragment.offset + transportLength <= 0xFFFF
        else { throw Refusal(.malformed) }
        guard header.protocol != .igmp else { throw Refusal(.unsupportedProtocol) }
        guard header.protocol != .icmpv6 else { throw Refusal(.unsupportedProtocol, .prohibitedIPv4) }
        guard !header.fragment.isFirst || available >= header.protocol.minimumHeaderLength else {
            throw Refusal(.malformed)
        }
    }

    /// Looks at what an ICMP error carries of the packet that it is about.
    init(_ buffer: borrowing MutableRawSpan, quoted: Range<Int>) throws(DropReason) {
        let bytes = buffer.bytes.extracting(quoted)
        guard let header = IPv4Header(reading: bytes) else { throw .malformed }
        let first = bytes.load(UInt8.self, at: 0)
        let headerLength = Int(first & 0xF) * 4
        guard first >> 4 == 4, headerLength >= IPv4Header.minimumLength, bytes.byteCount >= headerLength,
            header.totalLength >= headerLength
        else { throw .malformed }
        self.header = header
        start = quoted.lowerBound
        transport = start + headerLength
        end = min(quoted.upperBound, start + header.totalLength)
        transportLength = header.totalLength - headerLength
        guard header.protocol != .igmp, header.protocol != .icmpv6 else { throw .unmappedInnerPacket }
    }
}

/// An IPv6 packet in a buffer, or the beginning of one inside an ICMP error, with the places of its parts.
struct IPv6Parts {
    let header: IPv6Header
    let fragmentHeader: IPv6FragmentHeader?
    let `protocol`: IPProtocol
    let start: Int
    /// Where the transport header, or a later fragment's payload, begins.
    let transport: Int
    /// Where the bytes end that are there.
    let end: Int
    /// The bytes of the transport that the header promises.
    let transportLength: Int

    var fragment: FragmentPosition { fragmentHeader?.position ?? .whole }
    var available: Int { end - transport }

    /// The sum of the addresses in the pseudo-header.
    var addressSum: InternetChecksum { Rewrite(source: header.source, destination: header.destination).addressSum }

    /// Looks at a packet that is to be translated, and finds all that forbids it but addresses, size and ICMP types.
    init(_ buffer: borrowing MutableRawSpan, packet: Range<Int>) throws(Refusal) {
        let bytes = buffer.bytes.extracting(packet)
        guard let view = IPv6Packet(bytes) else { throw Refusal(.malformed) }
        header = view.header
        start = packet.lowerBound
        end = start + view.totalLength
        guard !header.source.isIllegal else { throw Refusal(.illegalSource) }
        guard !header.destination.isIllegal else { throw Refusal(.illegalDestination) }
        guard header.hopLimit > 1 else {
            throw Refusal(.hopLimit, ICMPAnswer(type: ICMPv6Type.timeExceeded.rawValue, code: 0))
        }
        let chain: IPv6HeaderChain
        do throws(IPv6HeaderChain.Failure) {
            chain = try IPv6HeaderChain.follow(view.bytes, from: header.nextHeader)
        } catch {
            throw Refusal(error == .tooLong ? .tooManyHeaders : .malformed)
        }
        if let openRoute = chain.openRoute {
            throw Refusal(
                .sourceRoute,
                ICMPAnswer(type: ICMPv6Type.parameterProblem.rawValue, code: 0, rest: UInt32(openRoute)))
        }
        fragmentHeader = chain.fragment
        self.protocol = chain.transport
        transport = start + chain.transportOffset
        transportLength = end - transport
        if let fragment = chain.fragment, !fragment.position.isWhole {
            guard fragment.nextHeader == chain.transport, !fragment.nextHeader.isExtensionHeader else {
                throw Refusal(.headerBehindFragment, .prohibitedIPv6)
            }
            guard chain.transport != .icmpv6 else { throw Refusal(.fragmentedICMP) }
            guard !fragment.position.hasMore || transportLength % 8 == 0,
                fragment.position.offset + transportLength <= 0xFFFF
            else { throw Refusal(.malformed) }
        }
        guard chain.transport != .icmpv4 else { throw Refusal(.unsupportedProtocol, .prohibitedIPv6) }
        guard !(chain.fragment?.position ?? .whole).isFirst || end - transport >= chain.transport.minimumHeaderLength
        else { throw Refusal(.malformed) }
    }

    /// Looks at what an ICMP error carries of the packet that it is about.
    init(_ buffer: borrowing MutableRawSpan, quoted: Range<Int>) throws(DropReason) {
        let bytes = buffer.bytes.extracting(quoted)
        guard let header = IPv6Header(reading: bytes), bytes.load(UInt8.self, at: 0) >> 4 == 6 else { throw .malformed }
        self.header = header
        let chain: IPv6HeaderChain
        do throws(IPv6HeaderChain.Failure) {
            chain = try IPv6HeaderChain.follow(bytes, from: header.nextHeader)
        } catch {
            throw .unmappedInnerPacket
        }
        fragmentHeader = chain.fragment
        self.protocol = chain.transport
        start = quoted.lowerBound
        transport = start + chain.transportOffset
        let whole = start + IPv6Header.length + header.payloadLength
        transportLength = whole - transport
        guard transportLength >= 0 else { throw .malformed }
        end = min(quoted.upperBound, whole)
        guard chain.transport != .icmpv4 else { throw .unmappedInnerPacket }
    }
}

extension IPProtocol {
    /// Whether the number is that of an extension header that may not follow a fragment header here (RFC 7915 §5.1.1).
    var isExtensionHeader: Bool {
        switch self {
        case .hopByHop, .destinationOptions, .routing, .fragment, .authentication: true
        default: false
        }
    }
}
