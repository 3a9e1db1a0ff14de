import Addresses
import Packet
import Wire

/// Translates packets between the families by their addresses alone (SIIT: RFC 7915, RFC 6052, RFC 7757).
///
/// A value of its own for each thread; it makes no system call, has no clock and allocates nothing for a packet.
public struct StatelessTranslator: FramedTranslator, Sendable {
    /// Which address stands for which; packets from then on follow a change.
    public var mapper: AddressMapper
    /// The operator's choices.
    public let options: TranslationOptions
    var accounts: Accounts
    private var identification: UInt16

    /// Makes a translator.
    ///
    /// - Parameter identification: the first one of the IPv4 packets that may be fragmented; best a random number.
    public init(mapper: AddressMapper, options: TranslationOptions, identification: UInt16 = 0) {
        self.mapper = mapper
        self.options = options
        self.identification = identification
        accounts = Accounts(options)
    }

    /// What has become of the packets.
    public var counters: TranslationCounters { accounts.counters }

    /// Translates a packet of either family in place.
    ///
    /// - Parameters:
    ///   - buffer: memory with at least `TranslationOptions.headroom` bytes in front of the packet.
    ///   - packet: the place of the packet, from its IP header on.
    ///   - now: the time, by which ICMP errors are limited.
    /// - Precondition: the packet is inside the buffer, behind the headroom.
    @_lifetime(buffer: copy buffer)
    public mutating func translate(
        _ buffer: inout MutableRawSpan, packet: Range<Int>, offload: PacketOffload = .none, at now: Timestamp
    ) -> Outcome {
        settle(&buffer, packet, offload, at: now)
    }

    @_lifetime(buffer: copy buffer)
    mutating func conclude(
        _ result: Result<Outcome, Refusal>, _ buffer: inout MutableRawSpan, _ packet: Range<Int>, at now: Timestamp
    ) -> Outcome { accounts.conclude(result, &buffer, packet, at: now) }

    @_lifetime(buffer: copy buffer)
    mutating func translated(
        _ buffer: inout MutableRawSpan, _ packet: Range<Int>, _ offload: PacketOffload, arrival: Arrival,
        at now: Timestamp
    ) throws(Refusal) -> Outcome {
        switch buffer.load(UInt8.self, at: packet.lowerBound) >> 4 {
        case 4: return try toIPv6(&buffer, packet, offload)
        case 6:
            // Between two IPv6 hosts, of which one knows the other by its IPv4 address (RFC 7757 §4), both ways are taken.
            let isBackward = leadsBack(buffer, packet)
            let outcome = try toIPv4(&buffer, packet, isBackward ? options.hairpinning : options, offload)
            guard isBackward, case .forward(let range, _) = outcome else { return outcome }
            // The packet is another one by now, so its sender is not told if it ends here.
            do throws(Refusal) {
                return try toIPv6(&buffer, range, offload)
            } catch {
                throw Refusal(error.reason)
            }
        default: throw Refusal(.malformed)
        }
    }

    /// Whether an IPv6 packet's destination is the embedded IPv4 address of a host with an explicit mapping.
    private func leadsBack(_ buffer: borrowing MutableRawSpan, _ packet: Range<Int>) -> Bool {
        guard mapper.leadsBack, mapper.hasExplicit, packet.count >= IPv6Header.length, let prefix = mapper.prefix
        else { return false }
        let destination = IPv6Address(rawValue: buffer.load(UInt128.self, at: packet.lowerBound + 24))
        guard let inner = prefix.extracting(from: destination) else { return false }
        return mapper.isExplicit(inner)
    }

    @_lifetime(buffer: copy buffer)
    private mutating func toIPv6(
        _ buffer: inout MutableRawSpan, _ packet: Range<Int>, _ offload: PacketOffload
    ) throws(Refusal) -> Outcome {
        let parts = try IPv4Parts(buffer, packet: packet)
        let unreachable = ICMPv4Type.destinationUnreachable.rawValue
        guard let destination = mapper.ipv6Address(for: parts.header.destination) else {
            throw Refusal(.unmappedDestination, ICMPAnswer(type: unreachable, code: 1))
        }
        // Where both hosts have explicit mappings, the answer has to come back this way (RFC 7757 §4.2.1).
        let isHairpin =
            mapper.hasExplicit && mapper.isExplicit(parts.header.source)
            && mapper.isExplicit(parts.header.destination)
        let mapped = isHairpin ? mapper.embedding(parts.header.source) : mapper.ipv6Address(for: parts.header.source)
        // Errors come from this translator where their router has no IPv6 address, as they do the other way (RFC 6791).
        let isError = parts.isError(buffer)
        guard let source = mapped ?? (isError ? options.ipv6Address : nil) else {
            throw Refusal(.unmappedSource, ICMPAnswer(type: unreachable, code: 10))
        }
        let new = Rewrite(source: source, destination: destination)
        guard isError else { return try parts.rewrite(&buffer, to: new, options, offload) }
        let error = try parts.error(buffer)
        let quoted = error.quoted.header
        let isInnerHairpin =
            mapper.hasExplicit && mapper.isExplicit(quoted.source) && mapper.isExplicit(quoted.destination)
        guard let innerSource = mapper.ipv6Address(for: quoted.source),
            let innerDestination = isInnerHairpin
                ? mapper.embedding(quoted.destination) : mapper.ipv6Address(for: quoted.destination)
        else { throw Refusal(.unmappedInnerPacket) }
        return try parts.rewriteError(
            &buffer, error, to: new, quoted: Rewrite(source: innerSource, destination: innerDestination), options)
    }

    @_lifetime(buffer: copy buffer)
    private mutating func toIPv4(
        _ buffer: inout MutableRawSpan, _ packet: Range<Int>, _ options: TranslationOptions, _ offload: PacketOffload
    ) throws(Refusal) -> Outcome {
        let parts = try IPv6Parts(buffer, packet: packet)
        guard !mapper.isLoop(from: parts.header.source, to: parts.header.destination) else { throw Refusal(.loop) }
        let unreachable = ICMPv6Type.destinationUnreachable.rawValue
        guard let destination = mapper.ipv4Address(for: parts.header.destination) else {
            throw Refusal(.unmappedDestination, ICMPAnswer(type: unreachable, code: 0))
        }
        guard !destination.isIllegal else { throw Refusal(.illegalDestination) }
        let isError = parts.isError(buffer)
        guard let source = mapper.ipv4Address(for: parts.header.source) ?? (isError ? options.routerIPv4Address : nil)
        else { throw Refusal(.unmappedSource, ICMPAnswer(type: unreachable, code: 5)) }
        guard !source.isIllegal else { throw Refusal(.illegalSource) }
        let new = Rewrite(source: source, destination: destination)
        guard isError else {
            return try parts.rewrite(&buffer, to: new, identification: &identification, options, offload)
        }
        let error = try parts.error(buffer)
        let quoted = error.quoted.header
        guard let innerSource = mapper.ipv4Address(for: quoted.source),
            let innerDestination = mapper.ipv4Address(for: quoted.destination)
        else { throw Refusal(.unmappedInnerPacket) }
        return try parts.rewriteError(
            &buffer, error, to: new, quoted: Rewrite(source: innerSource, destination: innerDestination),
            identification: &identification, options)
    }
}
