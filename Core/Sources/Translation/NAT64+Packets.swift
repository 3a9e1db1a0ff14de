import Addresses
import Packet
import Wire

extension NAT64 {
    /// Translates a packet of a client.
    @_lifetime(buffer: copy buffer)
    mutating func toIPv4(
        _ buffer: inout MutableRawSpan, _ packet: Range<Int>, _ offload: PacketOffload, at now: Timestamp
    ) throws(Refusal) -> Outcome {
        let parts = try IPv6Parts(buffer, packet: packet)
        let unreachable = ICMPv6Type.destinationUnreachable.rawValue
        guard !configuration.prefix.contains(parts.header.source) else { throw Refusal(.loop) }
        guard let remote = configuration.prefix.extracting(from: parts.header.destination) else {
            throw Refusal(.unmappedDestination, ICMPAnswer(type: unreachable, code: 0))
        }
        guard !remote.isIllegal else { throw Refusal(.illegalDestination) }
        let isOwn = table.poolIndex(remote) != nil
        guard isOwn || isAllowed(remote) else {
            throw Refusal(.forbiddenDestination, .prohibitedIPv6)
        }
        let options = isOwn ? configuration.options.hairpinning : configuration.options
        let outcome: Outcome
        if parts.isError(buffer) {
            outcome = try errorToIPv4(&buffer, parts, remote, options)
        } else if parts.fragment.isFirst {
            guard let tuple = parts.tuple(buffer) else { throw unsupported(parts) }
            let mapping = table.mappings[try outbound(tuple, from: parts.header.source, to: remote, at: now)]
            let source = table.pool[Int(mapping.publicAddress)]
            outcome = try parts.rewrite(
                &buffer, to: Rewrite(source: source, destination: remote, port: .source(mapping.publicPort)),
                identification: &identification, options, offload)
            if let key = FragmentKey(parts), !parts.fragment.isWhole {
                fragments.remember(
                    key, source: UInt128(source.rawValue), destination: UInt128(remote.rawValue), at: now)
            }
        } else {
            guard let key = FragmentKey(parts) else { throw Refusal(.malformed) }
            guard let flow = fragments.flow(key, at: now) else { return try hold(buffer, packet, key, at: now) }
            let new = Rewrite(
                source: IPv4Address(rawValue: UInt32(truncatingIfNeeded: flow.source)), destination: remote)
            outcome = try parts.rewrite(&buffer, to: new, identification: &identification, options, offload)
        }
        guard isOwn, case .forward(let range, _) = outcome else { return outcome }
        return configuration.sharesPool ? .handOver(range) : try hairpin(&buffer, range, offload, at: now)
    }

    /// Translates a client's packet, which has become one of IPv4, to another client by its public address (RFC 4787,
    /// REQ-9).
    ///
    /// The packet is another one than the client sent by now, so that its sender is not told if it ends here.
    @_lifetime(buffer: copy buffer)
    mutating func hairpin(
        _ buffer: inout MutableRawSpan, _ packet: Range<Int>, _ offload: PacketOffload, at now: Timestamp
    ) throws(Refusal) -> Outcome {
        do throws(Refusal) {
            return try toIPv6(&buffer, packet, offload, at: now, isHairpin: true)
        } catch {
            throw Refusal(error.reason)
        }
    }

    /// Translates a packet to a public address.
    @_lifetime(buffer: copy buffer)
    mutating func toIPv6(
        _ buffer: inout MutableRawSpan, _ packet: Range<Int>, _ offload: PacketOffload, at now: Timestamp,
        isHairpin: Bool
    ) throws(Refusal) -> Outcome {
        let parts = try IPv4Parts(buffer, packet: packet)
        guard let poolIndex = table.poolIndex(parts.header.destination) else { throw Refusal(.unmappedDestination) }
        guard isHairpin || table.poolIndex(parts.header.source) == nil else { throw Refusal(.illegalSource) }
        // Routers with private addresses speak by this translator where the prefix may not stand for them.
        let isError = parts.isError(buffer)
        let isEmbedded = isHairpin || mayEmbed(parts.header.source)
        let address = isEmbedded ? configuration.prefix.embedding(parts.header.source) : nil
        guard let source = address ?? (isError ? configuration.options.ipv6Address : nil) else {
            throw Refusal(.illegalSource)
        }
        if isError { return try errorToIPv6(&buffer, parts, poolIndex, source) }
        guard parts.fragment.isFirst else {
            let key = FragmentKey(parts.header)
            guard let flow = fragments.flow(key, at: now) else { return try hold(buffer, packet, key, at: now) }
            let new = Rewrite(source: source, destination: IPv6Address(rawValue: flow.destination))
            return try parts.rewrite(&buffer, to: new, configuration.options, offload)
        }
        if !isHairpin, !offload.hasPartialChecksum, configuration.options.makesUDPChecksums,
            parts.isFragmentWithoutChecksum(buffer)
        {
            return try hold(buffer, packet, FragmentKey(parts.header), lacksChecksum: true, at: now)
        }
        guard let tuple = parts.tuple(buffer) else { throw unsupported(parts) }
        let number: UInt32
        do throws(Refusal) {
            number = try inbound(tuple, from: parts.header.source, to: poolIndex, at: now)
        } catch {
            guard heldSYNs.capacity > 0, let key = HeldSYN(parts, tuple, error.reason, poolIndex) else { throw error }
            guard heldSYNs.place(key) == nil else { throw Refusal(.supersededSYN) }
            guard heldSYNs.hold(buffer, packet, key, at: now) else { throw Refusal(.heldSYNLimit) }
            return .held
        }
        let mapping = table.mappings[number]
        let destination = IPv6Address(rawValue: mapping.address)
        let outcome = try parts.rewrite(
            &buffer, to: Rewrite(source: source, destination: destination, port: .destination(mapping.port)),
            configuration.options, offload)
        if !parts.fragment.isWhole {
            fragments.remember(
                FragmentKey(parts.header), source: source.rawValue, destination: destination.rawValue, at: now)
        }
        return outcome
    }

    /// Translates a client's ICMP error about a packet that came to it; its session must be there, and is left alone.
    @_lifetime(buffer: copy buffer)
    private mutating func errorToIPv4(
        _ buffer: inout MutableRawSpan, _ parts: IPv6Parts, _ remote: IPv4Address, _ options: TranslationOptions
    ) throws(Refusal) -> Outcome {
        let error = try parts.error(buffer)
        let quoted = error.quoted
        guard let sender = configuration.prefix.extracting(from: quoted.header.source),
            let tuple = quoted.tuple(buffer)
        else { throw Refusal(.unmappedInnerPacket) }
        let number = table.mapping(tuple.kind, quoted.header.destination, tuple.destination)
        guard number != 0, table.session(number, sender, tuple.source) != 0 else {
            throw Refusal(.unmappedInnerPacket)
        }
        let mapping = table.mappings[number]
        let publicAddress = table.pool[Int(mapping.publicAddress)]
        return try parts.rewriteError(
            &buffer, error, to: Rewrite(source: publicAddress, destination: remote),
            quoted: Rewrite(source: sender, destination: publicAddress, port: .destination(mapping.publicPort)),
            identification: &identification, options)
    }

    /// Translates an ICMP error about a packet that a client has sent; its session must be there, and is left alone.
    @_lifetime(buffer: copy buffer)
    private mutating func errorToIPv6(
        _ buffer: inout MutableRawSpan, _ parts: IPv4Parts, _ poolIndex: Int, _ source: IPv6Address
    ) throws(Refusal) -> Outcome {
        let error = try parts.error(buffer)
        let quoted = error.quoted
        guard table.poolIndex(quoted.header.source) == poolIndex, let tuple = quoted.tuple(buffer) else {
            throw Refusal(.unmappedInnerPacket)
        }
        let number = table.mapping(tuple.kind, poolIndex: poolIndex, publicPort: tuple.source)
        guard number != 0 else { throw Refusal(.unmappedInnerPacket) }
        let mapping = table.mappings[number]
        let remotePort = tuple.kind == .icmp ? mapping.port : tuple.destination
        guard table.session(number, quoted.header.destination, remotePort) != 0 else {
            throw Refusal(.unmappedInnerPacket)
        }
        let client = IPv6Address(rawValue: mapping.address)
        return try parts.rewriteError(
            &buffer, error, to: Rewrite(source: source, destination: client),
            quoted: Rewrite(
                source: client, destination: configuration.prefix.embedding(quoted.header.destination),
                port: .source(mapping.port)),
            configuration.options)
    }

    /// Whether clients may send to an IPv4 address.
    private func isAllowed(_ remote: IPv4Address) -> Bool {
        mayEmbed(remote) && (denied.isEmpty || denied.index(ofBits: UInt128(remote.rawValue)) == nil)
    }

    /// Whether the prefix may stand for an IPv4 address (RFC 6052 §3.1).
    private func mayEmbed(_ remote: IPv4Address) -> Bool {
        configuration.embedsNonGlobal || configuration.prefix != .wellKnown || remote.isGlobal
    }

    /// Keeps a fragment that came before the first one of its datagram, or before what its checksum is made of.
    private mutating func hold(
        _ buffer: borrowing MutableRawSpan, _ packet: Range<Int>, _ key: FragmentKey, lacksChecksum: Bool = false,
        at now: Timestamp
    ) throws(Refusal) -> Outcome {
        do throws(DropReason) {
            try fragments.hold(buffer, packet, key, lacksChecksum: lacksChecksum, at: now)
        } catch {
            throw Refusal(error)
        }
        return .held
    }

    /// Why a packet without ports goes nowhere, with the answers of RFC 6146 §3.4.
    private func unsupported(_ parts: IPv6Parts) -> Refusal {
        guard parts.protocol != .icmpv6 else { return Refusal(.unsupportedICMP) }
        return Refusal(
            .unsupportedProtocol, ICMPAnswer(type: ICMPv6Type.destinationUnreachable.rawValue, code: 4))
    }

    private func unsupported(_ parts: IPv4Parts) -> Refusal {
        guard parts.header.protocol != .icmpv4 else { return Refusal(.unsupportedICMP) }
        return Refusal(
            .unsupportedProtocol, ICMPAnswer(type: ICMPv4Type.destinationUnreachable.rawValue, code: 2))
    }
}
