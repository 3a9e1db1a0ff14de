import Addresses
import Packet
import Wire

extension TranslationOptions {
    /// Makes the ICMP error about a packet that was refused, in the packet's place; nil if none may be sent.
    @_lifetime(buffer: copy buffer)
    func reply(_ buffer: inout MutableRawSpan, to packet: Range<Int>, _ answer: ICMPAnswer) -> Range<Int>? {
        switch buffer.load(UInt8.self, at: packet.lowerBound) >> 4 {
        case 4: replyIPv4(&buffer, to: packet, answer)
        default: replyIPv6(&buffer, to: packet, answer)
        }
    }

    @_lifetime(buffer: copy buffer)
    private func replyIPv4(
        _ buffer: inout MutableRawSpan, to packet: Range<Int>, _ answer: ICMPAnswer
    ) -> Range<Int>? {
        guard let own = ipv4Address, let header = answerableIPv4(buffer, packet) else { return nil }
        // RFC 1812 §4.3.2.3: as much of the packet as fits into 576 bytes.
        let end = packet.lowerBound + min(header.totalLength, 576 - IPv4Header.minimumLength - 8)
        let message = packet.lowerBound - 8
        buffer.writeError(answer, at: message, end: end, pseudoHeader: InternetChecksum())
        let first = message - IPv4Header.minimumLength
        IPv4Header(totalLength: end - first, protocol: .icmpv4, source: own, destination: header.source)
            .write(to: &buffer, at: first)
        return first..<end
    }

    @_lifetime(buffer: copy buffer)
    private func replyIPv6(
        _ buffer: inout MutableRawSpan, to packet: Range<Int>, _ answer: ICMPAnswer
    ) -> Range<Int>? {
        guard let own = ipv6Address, let header = answerableIPv6(buffer, packet) else { return nil }
        // RFC 4443 §2.4: as much of the packet as fits into the least MTU.
        let end = packet.lowerBound + min(IPv6Header.length + header.payloadLength, 1280 - IPv6Header.length - 8)
        let message = packet.lowerBound - 8
        let first = message - IPv6Header.length
        let outer = IPv6Header(
            payloadLength: end - message, nextHeader: .icmpv6, source: own, destination: header.source)
        buffer.writeError(
            answer, at: message, end: end,
            pseudoHeader: outer.pseudoHeader(transport: .icmpv6, transportLength: end - message))
        outer.write(to: &buffer, at: first)
        return first..<end
    }

    /// The header of a packet that an ICMP error may be sent about (RFC 1812 §4.3.2.7).
    private func answerableIPv4(_ buffer: borrowing MutableRawSpan, _ packet: Range<Int>) -> IPv4Header? {
        guard let view = IPv4Packet(buffer.bytes.extracting(packet)) else { return nil }
        let header = view.header
        guard header.fragment.isFirst, !header.source.isIllegal, !header.destination.isIllegal else { return nil }
        guard header.protocol == .icmpv4 else { return header }
        guard view.totalLength > view.headerLength,
            !ICMPv4Type(rawValue: view.bytes.load(UInt8.self, at: view.headerLength)).isError
        else { return nil }
        return header
    }

    /// The header of a packet that an ICMP error may be sent about (RFC 4443 §2.4).
    private func answerableIPv6(_ buffer: borrowing MutableRawSpan, _ packet: Range<Int>) -> IPv6Header? {
        guard let view = IPv6Packet(buffer.bytes.extracting(packet)) else { return nil }
        let header = view.header
        guard !header.source.isIllegal, !header.destination.isIllegal,
            let chain = try? IPv6HeaderChain.follow(view.bytes, from: header.nextHeader),
            chain.fragment?.position.isFirst ?? true
        else { return nil }
        guard chain.transport == .icmpv6 else { return header }
        guard chain.transportOffset < view.totalLength,
            !ICMPv6Type(rawValue: view.bytes.load(UInt8.self, at: chain.transportOffset)).isError
        else { return nil }
        return header
    }
}
