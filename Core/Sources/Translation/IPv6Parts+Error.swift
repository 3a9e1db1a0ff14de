import Addresses
import Packet
import Wire

extension IPv6Parts {
    /// Whether this packet is an ICMP error, which carries another packet.
    func isError(_ buffer: borrowing MutableRawSpan) -> Bool {
        self.protocol == .icmpv6 && ICMPv6Type(rawValue: buffer.load(UInt8.self, at: transport)).isError
    }

    /// The error that this packet is, and the packet in it.
    func error(_ buffer: borrowing MutableRawSpan) throws(Refusal) -> QuotingError<IPv6Parts> {
        var sum = header.pseudoHeader(transport: .icmpv6, transportLength: transportLength)
        sum.add(buffer.bytes.extracting(transport..<end))
        guard sum.folded == 0xFFFF else { throw Refusal(.badChecksum) }
        let said = ICMPAnswer(
            type: buffer.load(UInt8.self, at: transport), code: buffer.load(UInt8.self, at: transport + 1),
            rest: buffer.load(UInt32.self, at: transport + 4))
        let length = ICMPErrorMap.hasIPv6Length(said) ? Int(said.rest >> 24) * 8 : 0
        let field = QuotingError<IPv6Parts>.field(from: transport + 8, end: end, lengthInBytes: length)
        let quoted: IPv6Parts
        do throws(DropReason) {
            quoted = try IPv6Parts(buffer, quoted: field)
        } catch {
            throw Refusal(error)
        }
        if quoted.protocol == .icmpv6, quoted.fragment.isFirst, quoted.available > 0 {
            switch ICMPv6Type(rawValue: buffer.load(UInt8.self, at: quoted.transport)) {
            case .echoRequest, .echoReply: break
            case let type: throw Refusal(type.isError ? .errorAboutError : .unmappedInnerPacket)
            }
        }
        return QuotingError(said: said, quoted: quoted, fieldEnd: field.upperBound, end: end)
    }

    /// Makes this packet, an ICMP error, one of IPv4 (RFC 7915 §5.2, §5.3); changes nothing if it refuses.
    @_lifetime(buffer: copy buffer)
    func rewriteError(
        _ buffer: inout MutableRawSpan, _ error: QuotingError<IPv6Parts>, to outer: Rewrite<IPv4Address>,
        quoted inner: Rewrite<IPv4Address>, identification: inout UInt16, _ options: TranslationOptions
    ) throws(Refusal) -> Outcome {
        let quoted = error.quoted
        guard IPv4Header.minimumLength + quoted.transportLength <= 0xFFFF else { throw Refusal(.malformed) }
        guard var answer = ICMPErrorMap.ipv4Error(for: error.said, options) else { throw Refusal(.unsupportedICMP) }
        let extensions = ICMPErrorMap.hasIPv6Length(error.said) ? error.fieldEnd..<error.end : error.end..<error.end
        let layout = ErrorLayout(
            transport: quoted.transport, available: quoted.available, extensions: extensions,
            headers: IPv4Header.minimumLength, limit: max(options.ipv4MTU, 576) - IPv4Header.minimumLength - 8, unit: 4)
        buffer.move(from: quoted.transport, to: layout.target, count: layout.count)
        buffer.zero(from: layout.target + layout.count, count: layout.padding)
        quoted.rewriteQuoted(&buffer, to: inner, target: layout.target, count: layout.count, options)
        answer.rest |= UInt32(layout.fieldLength / 4) << 16
        let message = layout.target - IPv4Header.minimumLength - 8
        buffer.writeError(answer, at: message, end: layout.end, pseudoHeader: InternetChecksum())
        let length = layout.end - message + IPv4Header.minimumLength
        let dontFragment = length > 1260
        IPv4Header(
            typeOfService: options.copiesTrafficClass ? header.trafficClass : 0, totalLength: length,
            identification: dontFragment ? 0 : identification, dontFragment: dontFragment,
            timeToLive: header.hopLimit - 1, protocol: .icmpv4, source: outer.source, destination: outer.destination
        ).write(to: &buffer, at: message - IPv4Header.minimumLength)
        if !dontFragment { identification &+= 1 }
        return .forward((message - IPv4Header.minimumLength)..<layout.end, .ipv4)
    }
}
