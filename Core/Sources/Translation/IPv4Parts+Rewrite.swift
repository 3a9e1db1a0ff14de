import Addresses
import Packet
import Wire

extension IPv4Parts {
    /// Makes this packet, which is not an ICMP error, one of IPv6 (RFC 7915 §4); changes nothing if it refuses.
    @_lifetime(buffer: copy buffer)
    func rewrite(
        _ buffer: inout MutableRawSpan, to new: Rewrite<IPv6Address>, _ options: TranslationOptions,
        _ offload: PacketOffload
    ) throws(Refusal) -> Outcome {
        let mtu = min(options.lowestIPv6MTU, options.ipv6MTU)
        let cut = try cut(to: mtu, options, offload)
        if fragment.isFirst { try rewriteTransport(&buffer, to: new, options, offload) }
        let nextHeader: IPProtocol = header.protocol == .icmpv4 ? .icmpv6 : header.protocol
        var outer = IPv6Header(
            trafficClass: options.copiesTrafficClass ? header.typeOfService : 0, payloadLength: transportLength,
            nextHeader: nextHeader, hopLimit: header.timeToLive - 1, source: new.source,
            destination: new.destination)
        if fragment.isWhole, cut != .fragments {
            let first = transport - IPv6Header.length
            outer.write(to: &buffer, at: first)
            return cut == .segments
                ? .segments(first..<end, .ipv6, length: mtu - IPv6Header.length) : .forward(first..<end, .ipv6)
        }
        let inner = IPv6FragmentHeader(
            nextHeader: nextHeader, position: fragment, identification: UInt32(header.identification))
        outer.nextHeader = .fragment
        outer.payloadLength += IPv6FragmentHeader.length
        let first = transport - IPv6FragmentHeader.length - IPv6Header.length
        outer.write(to: &buffer, at: first)
        inner.write(to: &buffer, at: transport - IPv6FragmentHeader.length)
        if cut == .fragments {
            if offload.hasPartialChecksum {
                buffer.completeChecksum(transport..<end, header.protocol)
            }
            return .fragments(Fragmenter(.ipv6, payload: transport..<end, hasMore: fragment.hasMore, mtu: mtu))
        }
        return .forward(first..<end, .ipv6)
    }

    /// What a packet that is too long becomes.
    private enum Cut {
        case whole, fragments, segments
    }

    /// What this packet becomes where IPv6 packets that may be fragmented are at most `mtu` bytes long.
    private func cut(
        to mtu: Int, _ options: TranslationOptions, _ offload: PacketOffload
    ) throws(Refusal) -> Cut {
        let overhead = IPv6Header.length + (fragment.isWhole ? 0 : IPv6FragmentHeader.length)
        let length = (offload.segmentLength ?? transportLength) + overhead
        if length <= mtu { return .whole }
        // A stream may be cut anywhere; where a datagram ends is its sender's business.
        if !header.dontFragment, offload.segmentLength != nil, header.protocol == .tcp { return .segments }
        if header.dontFragment || offload.segmentLength != nil {
            guard length > options.ipv6MTU else { return .whole }
            let mtu = options.ipv6MTU - overhead + IPv4Header.minimumLength
            throw Refusal(
                .tooBig,
                ICMPAnswer(type: ICMPv4Type.destinationUnreachable.rawValue, code: 4, rest: UInt32(mtu)))
        }
        return .fragments
    }

    @_lifetime(buffer: copy buffer)
    private func rewriteTransport(
        _ buffer: inout MutableRawSpan, to new: Rewrite<IPv6Address>, _ options: TranslationOptions,
        _ offload: PacketOffload
    ) throws(Refusal) {
        if header.protocol == .icmpv4 {
            let type: ICMPv6Type
            switch ICMPv4Type(rawValue: buffer.load(UInt8.self, at: transport)) {
            case .echoRequest: type = .echoRequest
            case .echoReply: type = .echoReply
            default: throw Refusal(.unsupportedICMP)
            }
            var pseudoHeader = new.addressSum
            pseudoHeader.add(UInt32(transportLength))
            pseudoHeader.add(UInt16(IPProtocol.icmpv6.rawValue))
            buffer.rewriteQuery(
                transport, firstWord: UInt16(type.rawValue) << 8, identifier: new.port.identifier,
                pseudoHeader: pseudoHeader)
            return
        }
        if header.protocol == .udp, !offload.hasPartialChecksum, buffer.load(UInt16.self, at: transport + 6) == 0 {
            try makeUDPChecksum(&buffer, options)
        }
        var addresses = new.addressSum
        addresses.subtract(addressSum)
        buffer.rewriteTransport(
            transport, header.protocol, addresses: addresses, port: new.port, offload: offload)
    }

    /// Whether this is the first fragment of a UDP datagram without a checksum.
    func isFragmentWithoutChecksum(_ buffer: borrowing MutableRawSpan) -> Bool {
        header.protocol == .udp && fragment.isFirst && fragment.hasMore
            && buffer.load(UInt16.self, at: transport + 6) == 0
    }

    /// Gives a datagram without a checksum the one that it would have had.
    @_lifetime(buffer: copy buffer)
    private func makeUDPChecksum(_ buffer: inout MutableRawSpan, _ options: TranslationOptions) throws(Refusal) {
        guard options.makesUDPChecksums, fragment.isWhole else { throw Refusal(.zeroChecksum, .prohibitedIPv4) }
        let length = Int(buffer.load(UInt16.self, at: transport + 4))
        guard length >= 8, length <= transportLength else { throw Refusal(.malformed) }
        var sum = header.pseudoHeader(transportLength: length)
        sum.add(buffer.bytes.extracting(transport..<(transport + length)))
        buffer.store(sum.nonzeroValue, at: transport + 6)
    }

    /// Writes this packet's beginning, which stands in an ICMP error, as one of IPv6, so that its transport header
    /// begins at `target`, where `count` bytes of it have been moved to.
    @_lifetime(buffer: copy buffer)
    func rewriteQuoted(
        _ buffer: inout MutableRawSpan, to new: Rewrite<IPv6Address>, target: Int, count: Int,
        _ options: TranslationOptions
    ) {
        let isICMP = header.protocol == .icmpv4
        let nextHeader: IPProtocol = isICMP ? .icmpv6 : header.protocol
        var position = target
        if !fragment.isWhole {
            position -= IPv6FragmentHeader.length
            IPv6FragmentHeader(
                nextHeader: nextHeader, position: fragment, identification: UInt32(header.identification)
            ).write(to: &buffer, at: position)
        }
        IPv6Header(
            trafficClass: options.copiesTrafficClass ? header.typeOfService : 0,
            payloadLength: transportLength + target - position, nextHeader: fragment.isWhole ? nextHeader : .fragment,
            hopLimit: header.timeToLive, source: new.source, destination: new.destination
        ).write(to: &buffer, at: position - IPv6Header.length)
        guard fragment.isFirst else { return }
        guard !isICMP else {
            guard count >= 8 else { return }
            let type: ICMPv6Type =
                buffer.load(UInt8.self, at: target) == ICMPv4Type.echoRequest.rawValue ? .echoRequest : .echoReply
            var pseudoHeader = new.addressSum
            pseudoHeader.add(UInt32(transportLength))
            pseudoHeader.add(UInt16(IPProtocol.icmpv6.rawValue))
            buffer.rewriteQuery(
                target, firstWord: UInt16(type.rawValue) << 8, identifier: new.port.identifier,
                pseudoHeader: pseudoHeader)
            return
        }
        var addresses = new.addressSum
        addresses.subtract(addressSum)
        buffer.rewriteQuotedTransport(target, header.protocol, count: count, addresses: addresses, port: new.port)
    }

    /// The bytes of the headers that this packet's beginning gets inside an ICMPv6 error.
    var quotedHeaderLength: Int { IPv6Header.length + (fragment.isWhole ? 0 : IPv6FragmentHeader.length) }
}

extension MutableRawSpan {
    /// Changes as much of the transport header of a packet inside an ICMP error as is there.
    @_lifetime(self: copy self)
    mutating func rewriteQuotedTransport(
        _ transport: Int, _ kind: IPProtocol, count: Int, addresses: InternetChecksum, port: PortChange
    ) {
        guard let offset = kind.checksumOffset, count >= 4 else { return }
        guard count >= offset + 2 else {
            var ignored = InternetChecksum()
            return change(port, transport: transport, delta: &ignored)
        }
        rewriteTransport(transport, kind, addresses: addresses, port: port, offload: .none)
    }
}
