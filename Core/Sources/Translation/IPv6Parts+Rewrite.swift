import Addresses
import Packet
import Wire

extension IPv6Parts {
    /// Makes this packet, which is not an ICMP error, one of IPv4 (RFC 7915 §5); changes nothing if it refuses.
    ///
    /// - Parameter identification: the next one for packets that may be fragmented; moved on when used.
    @_lifetime(buffer: copy buffer)
    func rewrite(
        _ buffer: inout MutableRawSpan, to new: Rewrite<IPv4Address>, identification: inout UInt16,
        _ options: TranslationOptions, _ offload: PacketOffload
    ) throws(Refusal) -> Outcome {
        let length = IPv4Header.minimumLength + (offload.segmentLength ?? transportLength)
        let cut = try mustBeCut(length, options, offload)
        if fragment.isFirst { try rewriteTransport(&buffer, to: new, offload) }
        var outer = quotedHeader(new, options)
        outer.timeToLive = header.hopLimit - 1
        outer.dontFragment = fragmentHeader == nil && length > 1260
        if fragmentHeader == nil, !outer.dontFragment {
            outer.identification = identification
            identification &+= 1
        }
        outer.write(to: &buffer, at: transport - IPv4Header.minimumLength)
        if cut {
            if offload.hasPartialChecksum {
                buffer.completeChecksum(transport..<end, self.protocol)
            }
            return .fragments(
                Fragmenter(.ipv4, payload: transport..<end, hasMore: fragment.hasMore, mtu: options.ipv4MTU))
        }
        return .forward((transport - IPv4Header.minimumLength)..<end, .ipv4)
    }

    /// Whether the packet, `length` bytes long in IPv4, has to be fragmented.
    private func mustBeCut(
        _ length: Int, _ options: TranslationOptions, _ offload: PacketOffload
    ) throws(Refusal) -> Bool {
        let isTooLong = IPv4Header.minimumLength + transportLength > 0xFFFF
        guard length > options.ipv4MTU || isTooLong else { return false }
        // IPv6 hosts need not go below 1280 bytes: what is that short may be fragmented on the IPv4 side.
        if !isTooLong, offload.segmentLength == nil, fragmentHeader != nil || end - start <= 1280 { return true }
        throw Refusal(
            .tooBig,
            ICMPAnswer(
                type: ICMPv6Type.packetTooBig.rawValue, code: 0,
                rest: UInt32(max(1280, min(options.ipv4MTU + 20, options.ipv6MTU)))))
    }

    /// The IPv4 header of this packet, with its hop limit as it is.
    private func quotedHeader(_ new: Rewrite<IPv4Address>, _ options: TranslationOptions) -> IPv4Header {
        IPv4Header(
            typeOfService: options.copiesTrafficClass ? header.trafficClass : 0,
            totalLength: IPv4Header.minimumLength + transportLength,
            identification: UInt16(truncatingIfNeeded: fragmentHeader?.identification ?? 0),
            fragment: fragment, timeToLive: header.hopLimit,
            protocol: self.protocol == .icmpv6 ? .icmpv4 : self.protocol,
            source: new.source, destination: new.destination)
    }

    @_lifetime(buffer: copy buffer)
    private func rewriteTransport(
        _ buffer: inout MutableRawSpan, to new: Rewrite<IPv4Address>, _ offload: PacketOffload
    ) throws(Refusal) {
        if self.protocol == .icmpv6 {
            let type: ICMPv4Type
            switch ICMPv6Type(rawValue: buffer.load(UInt8.self, at: transport)) {
            case .echoRequest: type = .echoRequest
            case .echoReply: type = .echoReply
            default: throw Refusal(.unsupportedICMP)
            }
            rewriteQuery(&buffer, transport, type, new.port)
            return
        }
        var addresses = new.addressSum
        addresses.subtract(addressSum)
        buffer.rewriteTransport(transport, self.protocol, addresses: addresses, port: new.port, offload: offload)
    }

    @_lifetime(buffer: copy buffer)
    private func rewriteQuery(_ buffer: inout MutableRawSpan, _ target: Int, _ type: ICMPv4Type, _ port: PortChange) {
        var pseudoHeader = InternetChecksum()
        pseudoHeader.subtract(header.pseudoHeader(transport: .icmpv6, transportLength: transportLength))
        buffer.rewriteQuery(
            target, firstWord: UInt16(type.rawValue) << 8, identifier: port.identifier, pseudoHeader: pseudoHeader)
    }

    /// Writes this packet's beginning, which stands in an ICMP error, as one of IPv4, so that its transport header
    /// begins at `target`, where `count` bytes of it have been moved to.
    @_lifetime(buffer: copy buffer)
    func rewriteQuoted(
        _ buffer: inout MutableRawSpan, to new: Rewrite<IPv4Address>, target: Int, count: Int,
        _ options: TranslationOptions
    ) {
        var quoted = quotedHeader(new, options)
        quoted.dontFragment = fragmentHeader == nil && quoted.totalLength > 1260
        quoted.write(to: &buffer, at: target - IPv4Header.minimumLength)
        guard fragment.isFirst else { return }
        guard self.protocol != .icmpv6 else {
            guard count >= 8 else { return }
            let isRequest = buffer.load(UInt8.self, at: target) == ICMPv6Type.echoRequest.rawValue
            return rewriteQuery(&buffer, target, isRequest ? .echoRequest : .echoReply, new.port)
        }
        var addresses = new.addressSum
        addresses.subtract(addressSum)
        buffer.rewriteQuotedTransport(target, self.protocol, count: count, addresses: addresses, port: new.port)
    }
}
