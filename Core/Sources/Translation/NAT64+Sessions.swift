import Addresses
import Packet

extension NAT64 {
    /// The mapping of a packet from a client, with the session that it belongs to refreshed or made (RFC 6146 §3.5).
    mutating func outbound(
        _ tuple: TransportTuple, from client: IPv6Address, to remote: IPv4Address, at now: Timestamp
    ) throws(Refusal) -> UInt32 {
        var mapping = table.mapping(tuple.kind, client, tuple.source)
        if mapping != 0 {
            let session = table.session(mapping, remote, tuple.destination)
            if session != 0 {
                refresh(session, tuple, from: .ipv6, at: now)
                return mapping
            }
        }
        guard tuple.isRequest else { throw Refusal(.noMapping) }
        if tuple.kind == .tcp, !tuple.flags.contains(.syn) || tuple.flags.contains(.rst) {
            guard mapping != 0 else { throw Refusal(.noMapping) }
            return mapping
        }
        let isNew = mapping == 0
        do throws(DropReason) {
            if isNew { mapping = try table.makeMapping(tuple.kind, client, tuple.source, at: NAT64.second(now)) }
            // A SYN of the other side that waits for this one makes it a simultaneous open (RFC 6146 §3.5.2.2).
            let held = tuple.kind == .tcp ? heldSYNs.place(HeldSYN(table.mappings[mapping], remote, tuple)) : nil
            try makeSession(
                mapping, tuple, remote, tuple.destination, held == nil ? .ipv6Init : .established, at: now)
            if let held {
                heldSYNs.forget(held)
                accounts.counters.count(dropped: .supersededSYN)
            }
        } catch {
            if isNew, mapping != 0 { table.forgetIfIdle(mapping: mapping, end: nil) }
            throw Refusal(error, ICMPAnswer(type: ICMPv6Type.destinationUnreachable.rawValue, code: 3))
        }
        return mapping
    }

    /// The mapping of a packet to a public port, with the session that it belongs to refreshed or made.
    mutating func inbound(
        _ tuple: TransportTuple, from remote: IPv4Address, to poolIndex: Int, at now: Timestamp
    ) throws(Refusal) -> UInt32 {
        let unreachable = ICMPv4Type.destinationUnreachable.rawValue
        let mapping = table.mapping(tuple.kind, poolIndex: poolIndex, publicPort: tuple.destination)
        guard mapping != 0 else { throw Refusal(.noMapping, ICMPAnswer(type: unreachable, code: 1)) }
        // The identifier of an echo is the client's on both ends of a session.
        let port = tuple.kind == .icmp ? table.mappings[mapping].port : tuple.source
        let session = table.session(mapping, remote, port)
        if session != 0 {
            refresh(session, tuple, from: .ipv4, at: now)
            return mapping
        }
        guard tuple.isRequest, table.permits(mapping, remote) else {
            throw Refusal(.filtered, .prohibitedIPv4)
        }
        // Without a session nothing but a SYN makes one; the rest goes through, for the client to refuse it.
        if tuple.kind == .tcp, !tuple.flags.contains(.syn) || tuple.flags.contains(.rst) { return mapping }
        do throws(DropReason) {
            try makeSession(mapping, tuple, remote, port, .ipv4Init, at: now)
        } catch {
            throw Refusal(error)
        }
        return mapping
    }

    private mutating func makeSession(
        _ mapping: UInt32, _ tuple: TransportTuple, _ remote: IPv4Address, _ port: UInt16,
        _ opening: TCPSessionState, at now: Timestamp
    ) throws(DropReason) {
        let timeouts = configuration.timeouts
        let lifetime =
            switch tuple.kind {
            case .tcp: opening == .established ? timeouts.tcpEstablished : timeouts.tcpTransitory
            case .udp: timeouts.udp
            case .icmp: timeouts.icmp
            }
        try table.makeSession(
            mapping, remote, port, state: tuple.kind == .tcp ? opening.rawValue : 0,
            at: NAT64.second(now), lifetime: lifetime)
    }

    private mutating func refresh(_ session: UInt32, _ tuple: TransportTuple, from side: Side, at now: Timestamp) {
        let timeouts = configuration.timeouts
        let second = NAT64.second(now)
        switch tuple.kind {
        case .udp: table.prolong(session, until: second + timeouts.udp)
        case .icmp: table.prolong(session, until: second + timeouts.icmp)
        case .tcp:
            guard let state = TCPSessionState(rawValue: table.sessions[session].state) else { return }
            let next = state.after(tuple.flags, from: side)
            table.sessions[session].state = next.state.rawValue
            switch next.lifetime {
            case .unchanged: break
            case .transitory: table.prolong(session, until: second + timeouts.tcpTransitory)
            case .established: table.prolong(session, until: second + timeouts.tcpEstablished)
            }
        }
    }
}
