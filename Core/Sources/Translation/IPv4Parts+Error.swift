import Addresses
import Packet
import Wire

extension IPv4Parts {
    /// Whether this packet is an ICMP error, which carries another packet.
    func isError(_ buffer: borrowing MutableRawSpan) -> Bool {
        header.protocol == .icmpv4 && ICMPv4Type(rawValue: buffer.load(UInt8.self, at: transport)).isError
    }

    /// The error that this packet is, and the packet in it.
    func error(_ buffer: borrowing MutableRawSpan) throws(Refusal) -> QuotingError<IPv4Parts> {
        var sum = InternetChecksum()
        sum.add(buffer.bytes.extracting(transport..<end))
        guard sum.folded == 0xFFFF else { throw Refusal(.badChecksum) }
        let said = ICMPAnswer(
            type: buffer.load(UInt8.self, at: transport), code: buffer.load(UInt8.self, at: transport + 1),
            rest: buffer.load(UInt32.self, at: transport + 4))
        let length = ICMPErrorMap.hasIPv4Length(said) ? Int(said.rest >> 16 & 0xFF) * 4 : 0
        let field = QuotingError<IPv4Parts>.field(from: transport + 8, end: end, lengthInBytes: length)
        let quoted: IPv4Parts
        do throws(DropReason) {
            quoted = try IPv4Parts(buffer, quoted: field)
        } catch {
            throw Refusal(error)
        }
        if quoted.header.protocol == .icmpv4, quoted.fragment.isFirst, quoted.available > 0 {
            switch ICMPv4Type(rawValue: buffer.load(UInt8.self, at: quoted.transport)) {
            case .echoRequest, .echoReply: break
            case let type: throw Refusal(type.isError ? .errorAboutError : .unmappedInnerPacket)
            }
        }
        return QuotingError(said: said, quoted: quoted, fieldEnd: field.upperBound, end: end)
    }

    /// Makes this packet, an ICMP error, one of IPv6 (RFC 7915 §4.2, §4.3); changes nothing if it refuses.
    @_lifetime(buffer: copy buffer)
    func rewriteError(
        _ buffer: inout MutableRawSpan, _ error: QuotingError<IPv4Parts>, to outer: Rewrite<IPv6Address>,
        quoted inner: Rewrite<IPv6Address>, _ options: TranslationOptions
    ) throws(Refusal) -> Outcome {
        let quoted = error.quoted
        guard
            var answer = ICMPErrorMap.ipv6Error(
                for: error.said, quotedLength: quoted.header.totalLength, options)
        else { throw Refusal(.unsupportedICMP) }
        let extensions = ICMPErrorMap.hasIPv6Length(answer) ? error.fieldEnd..<error.end : error.end..<error.end
        let layout = ErrorLayout(
            transport: quoted.transport, available: quoted.available, extensions: extensions,
            headers: quoted.quotedHeaderLength, limit: 1280 - IPv6Header.length - 8, unit: 8)
        buffer.move(from: quoted.transport, to: layout.target, count: layout.count)
        buffer.zero(from: layout.target + layout.count, count: layout.padding)
        quoted.rewriteQuoted(&buffer, to: inner, target: layout.target, count: layout.count, options)
        if ICMPErrorMap.hasIPv6Length(answer) { answer.rest = UInt32(layout.fieldLength / 8) << 24 }
        let message = layout.target - quoted.quotedHeaderLength - 8
        let outerHeader = IPv6Header(
            trafficClass: options.copiesTrafficClass ? header.typeOfService : 0, payloadLength: layout.end - message,
            nextHeader: .icmpv6, hopLimit: header.timeToLive - 1, source: outer.source,
            destination: outer.destination)
        buffer.writeError(
            answer, at: message, end: layout.end,
            pseudoHeader: outerHeader.pseudoHeader(transport: .icmpv6, transportLength: layout.end - message))
        outerHeader.write(to: &buffer, at: message - IPv6Header.length)
        return .forward((message - IPv6Header.length)..<layout.end, .ipv6)
    }
}

extension MutableRawSpan {
    /// Writes the first eight bytes of an ICMP error before what follows them up to `end`.
    @_lifetime(self: copy self)
    mutating func writeError(_ error: ICMPAnswer, at message: Int, end: Int, pseudoHeader: InternetChecksum) {
        store(UInt32(error.firstWord) << 16, at: message)
        store(error.rest, at: message + 4)
        var sum = pseudoHeader
        sum.add(bytes.extracting(message..<end))
        store(sum.value, at: message + 2)
    }
}
