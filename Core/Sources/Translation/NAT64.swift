public import Addresses
import Packet
import Wire

/// Translates packets between IPv6 clients and IPv4 hosts, with the clients behind a few public addresses (RFC 6146).
///
/// A value of its own for each thread, with its own ports; it makes no system call, has no clock, and allocates
/// nothing after its making.
public struct NAT64: FramedTranslator, ~Copyable, Sendable {
    /// What the translator was made from.
    public let configuration: NAT64Configuration
    var table: SessionTable
    var fragments: FragmentTable
    var heldSYNs: HeldPackets<HeldSYN>
    var accounts: Accounts
    var identification: UInt16
    let denied: PrefixMap<Void>

    /// Makes a translator without sessions.
    public init(_ configuration: NAT64Configuration) {
        self.configuration = configuration
        var options = configuration.options
        options.ipv4Address = options.ipv4Address ?? configuration.pool.first
        table = SessionTable(configuration)
        fragments = FragmentTable(
            held: configuration.maximumHeldFragments, longest: options.longestPacket,
            lifetime: UInt64(configuration.timeouts.fragment) * 1000, secret: configuration.secret)
        heldSYNs = HeldPackets(
            capacity: configuration.maximumHeldSYNs, longest: 2048,
            lifetime: UInt64(configuration.timeouts.tcpIncomingSYN) * 1000)
        accounts = Accounts(options)
        identification = UInt16(truncatingIfNeeded: configuration.secret >> 7)
        denied = PrefixMap(configuration.deniedDestinations.map { ($0, ()) })
        for forward in configuration.forwards { _ = table.makeStaticMapping(forward) }
    }

    /// Whether the memory for the tables could be had; without it every session is refused (`DropReason.noMemory`).
    public var hasMemory: Bool { table.hasMemory }

    /// Keeps a public port from being given out, for another translator of the same public addresses.
    public mutating func reserve(_ kind: SessionKind, _ address: IPv4Address, _ port: UInt16) {
        table.reserve(kind, address, port)
    }

    /// What has become of the packets.
    public var counters: TranslationCounters { accounts.counters }

    /// Translates a packet of either family in place.
    ///
    /// - Parameters:
    ///   - buffer: memory with at least `TranslationOptions.headroom` bytes in front of the packet.
    ///   - packet: the place of the packet, from its IP header on.
    ///   - now: the time, by which sessions end.
    /// - Precondition: the packet is inside the buffer, behind the headroom.
    @_lifetime(buffer: copy buffer)
    public mutating func translate(
        _ buffer: inout MutableRawSpan, packet: Range<Int>, offload: PacketOffload = .none, at now: Timestamp
    ) -> Outcome {
        settle(&buffer, packet, offload, at: now)
    }

    /// Translates an IPv4 packet that another translator of the same public addresses has handed over.
    ///
    /// - Precondition: the packet is inside the buffer, behind the headroom.
    @_lifetime(buffer: copy buffer)
    public mutating func accept(
        _ buffer: inout MutableRawSpan, packet: Range<Int>, offload: PacketOffload = .none, at now: Timestamp
    ) -> Outcome {
        settle(&buffer, packet, offload, arrival: .handOver, at: now)
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
        switch (buffer.load(UInt8.self, at: packet.lowerBound) >> 4, arrival) {
        case (4, .link): return try toIPv6(&buffer, packet, offload, at: now, isHairpin: false)
        case (4, .handOver): return try hairpin(&buffer, packet, offload, at: now)
        case (6, .link): return try toIPv4(&buffer, packet, offload, at: now)
        default: throw Refusal(.malformed)
        }
    }

    /// Does what time has brought: ends sessions, and makes the next packet that is due without one having come, a held
    /// fragment or a question to a silent TCP client; nil if there is none.
    ///
    /// To be called in a loop after packets that were fragments, and about once a second; nil is returned too after some
    /// hundred sessions whose time has come, so that packets do not wait, and `isBehind` then says that there may be more.
    ///
    /// - Precondition: the buffer has room for `TranslationOptions.headroom` and the larger MTU, or 2048 bytes.
    @_lifetime(buffer: copy buffer)
    public mutating func pending(_ buffer: inout MutableRawSpan, at now: Timestamp) -> Outcome? {
        while let release = fragments.release(into: &buffer, at: now) {
            switch release {
            case .expired: accounts.counters.count(dropped: .fragmentTimeout)
            case .ready(let packet): return translate(&buffer, packet: packet, at: now)
            }
        }
        for place in 0..<(heldSYNs.waiting > 0 ? heldSYNs.capacity : 0) {
            guard heldSYNs.key(at: place) != nil, heldSYNs.isExpired(place, at: now) else { continue }
            let packet = heldSYNs.take(place, into: &buffer)
            let answer = ICMPAnswer(type: ICMPv4Type.destinationUnreachable.rawValue, code: 3)
            return accounts.refuse(Refusal(.unansweredSYN, answer), &buffer, packet, at: now)
        }
        let second = NAT64.second(now)
        let transitory = configuration.timeouts.tcpTransitory
        for _ in 0..<NAT64.sessionsAtOnce {
            let due = table.nextDue(at: second) { session, mapping in
                guard mapping.kind == .tcp, session.state == TCPSessionState.established.rawValue else { return false }
                session.state = TCPSessionState.transitory.rawValue
                session.expires = second + transitory
                return true
            }
            guard let due else { return nil }
            guard case .revived(let session, let mapping) = due else { continue }
            let outcome = Outcome.forward(probe(&buffer, session, mapping), .ipv6)
            accounts.count(outcome)
            return outcome
        }
        return nil
    }

    /// How many sessions whose time has come are looked at before packets have their turn: some 40 µs.
    static var sessionsAtOnce: Int { 256 }

    /// Asks the client of a silent session whether it still knows of it (RFC 6146 §3.5.2.2).
    @_lifetime(buffer: copy buffer)
    private func probe(_ buffer: inout MutableRawSpan, _ session: Session, _ mapping: Mapping) -> Range<Int> {
        let header = IPv6Header(
            payloadLength: TCPHeader.minimumLength, nextHeader: .tcp,
            source: configuration.prefix.embedding(IPv4Address(rawValue: session.remote)),
            destination: IPv6Address(rawValue: mapping.address))
        let start = TranslationOptions.headroom
        header.write(to: &buffer, at: start)
        TCPHeader(sourcePort: session.remotePort, destinationPort: mapping.port, flags: .ack).write(
            to: &buffer, at: start + IPv6Header.length,
            pseudoHeader: header.pseudoHeader(transport: .tcp, transportLength: TCPHeader.minimumLength))
        return start..<(start + IPv6Header.length + TCPHeader.minimumLength)
    }

    /// The second that a moment is in.
    static func second(_ now: Timestamp) -> UInt32 { UInt32(truncatingIfNeeded: now.milliseconds / 1000) }
}
