internal import Addresses
internal import DNSServing
package import NFTables

/// The nftables table that leads a node's DNS queries to its own server, or past it.
///
/// Before connection tracking, queries to an address at which the server lives are kept out of tracking, and so out of
/// every translation: they end at the local socket. It lives as long as its heartbeats keep an element of a set from
/// running out, and, for datagrams, as long as there is a socket. All other queries are tracked, and translated to a
/// server that stands in. So the kernel changes over by itself, both ways, for every new query.
package enum FailoverTable {
    /// How queries travel.
    enum Transport: UInt8, CaseIterable, Sendable {
        case datagrams = 17
        case streams = 6
    }

    /// The table.
    package static let table = Table(family: .inet, name: "duet-dns")

    /// How long the server counts as alive after a heartbeat, in milliseconds.
    static let lifetime = UInt64(DNSServer.heartbeatInterval) * 4
    /// The places among which a query draws the server that stands in.
    static let slots = UInt32(StandInChoice.maximum)

    private enum Name {
        static let arrivals = "arrivals"
        static let departures = "departures"
        static let failover = "failover"
        static let ownFailover = "own-failover"
        static let sources = "sources"
    }

    static func addressSet(_ family: IPFamily) -> String { "addresses-\(family.rawValue)" }
    static func aliveSet(_ family: IPFamily) -> String { "alive-\(family.rawValue)" }
    static func standInMap(_ family: IPFamily) -> String { "stand-ins-\(family.rawValue)" }

    /// The sets: the addresses, those at which the server lives, and the servers that stand in.
    static let sets: [NamedSet] = IPFamily.allCases.flatMap { family in
        [
            NamedSet(table: table, name: addressSet(family), key: [.address(family)]),
            NamedSet(
                table: table, name: aliveSet(family), key: [.address(family)], flags: [.dynamic, .timeout],
                timeout: lifetime, size: 256),
            NamedSet(
                table: table, name: standInMap(family), key: [.transportProtocol, .mark],
                value: .data([.address(family), .port])),
        ]
    }

    /// The chains; translation comes just before that of Services, which may know the address too.
    static let chains: [Chain] = [
        Chain(table: table, name: Name.arrivals, base: .init(.filter, .prerouting, priority: Chain.Priority.raw)),
        Chain(table: table, name: Name.departures, base: .init(.filter, .output, priority: Chain.Priority.raw)),
        Chain(
            table: table, name: Name.failover,
            base: .init(.nat, .prerouting, priority: Chain.Priority.destinationNAT - 10)),
        Chain(
            table: table, name: Name.ownFailover,
            base: .init(.nat, .output, priority: Chain.Priority.destinationNAT - 10)),
        Chain(
            table: table, name: Name.sources, base: .init(.nat, .postrouting, priority: Chain.Priority.sourceNAT - 10)),
    ]

    /// The rules for a port, in the order of each chain.
    ///
    /// - Parameter usesSockets: whether datagrams are led past a server without a socket at once; older kernels cannot.
    static func rules(port: UInt16, usesSockets: Bool) -> [Rule] {
        IPFamily.allCases.flatMap { family in
            arrivalRules(family, port, usesSockets) + departureRules(family, port) + failoverRules(family, port)
                + [sourceRule(family)]
        }
    }

    private static func arrivalRules(_ family: IPFamily, _ port: UInt16, _ usesSockets: Bool) -> [Rule] {
        // A connection in its first and last moments has no socket that a rule can see, so the heartbeat alone decides.
        let hasSocket: [Expression] =
            usesSockets ? [.socketIsWildcard(Register(0)), .compare(Register(0), .equal, [0])] : []
        return Transport.allCases.map { transport in
            rule(
                Name.arrivals,
                toAlive(family, port, transport) + (transport == .datagrams ? hasSocket : []) + [.noTrack])
        }
    }

    private static func departureRules(_ family: IPFamily, _ port: UInt16) -> [Rule] {
        let isHeartbeat =
            Expression.isFamily(family) + isIn(addressSet(family), .destination, family)
            + isIn(addressSet(family), .source, family) + isPort(.datagrams, offset: 0, port)
            + [.payload(.transport, offset: 2, length: 2, Register(0)), .compare(Register(0), .equal, bytes(port))]
        return [
            rule(
                Name.departures,
                isHeartbeat + [
                    .address(.source, family),
                    .change(.update, set: aliveSet(family), key: Register(0), timeout: lifetime),
                ])
        ]
            + Transport.allCases.flatMap { transport in
                [
                    rule(
                        Name.departures,
                        Expression.isFamily(family) + isIn(addressSet(family), .source, family)
                            + isPort(transport, offset: 0, port) + [.noTrack]),
                    rule(Name.departures, toAlive(family, port, transport) + [.noTrack]),
                ]
            }
    }

    private static func failoverRules(_ family: IPFamily, _ port: UInt16) -> [Rule] {
        [Name.failover, Name.ownFailover].flatMap { chain in
            Transport.allCases.map { transport in
                rule(
                    chain,
                    Expression.isFamily(family) + isIn(addressSet(family), .destination, family)
                        + isPort(transport, offset: 2, port) + [
                            .meta(.transportProtocol, Register(0)), .random(modulus: slots, Register(1)),
                            .lookup(map: standInMap(family), Register(0), into: Register(0)),
                            .nat(
                                .destination, family, address: Register(0),
                                port: Register(UInt32(family.byteCount / 4))),
                        ])
            }
        }
    }

    /// What the node itself asks another has its address on the loopback as its source, which leads nobody back.
    private static func sourceRule(_ family: IPFamily) -> Rule {
        rule(
            Name.sources,
            Expression.isFamily(family) + isIn(addressSet(family), .source, family)
                + isIn(addressSet(family), .destination, family, inverted: true) + [.masquerade()])
    }

    private static func toAlive(_ family: IPFamily, _ port: UInt16, _ transport: Transport) -> [Expression] {
        Expression.isFamily(family) + isIn(aliveSet(family), .destination, family)
            + isPort(transport, offset: 2, port)
    }

    private static func isIn(
        _ set: String, _ field: Expression.AddressField, _ family: IPFamily, inverted: Bool = false
    ) -> [Expression] {
        [.address(field, family), .contains(set: set, Register(0), inverted: inverted)]
    }

    /// Goes on for packets of a transport whose port, the source's at offset 0 and the destination's at 2, is this one.
    private static func isPort(_ transport: Transport, offset: UInt32, _ port: UInt16) -> [Expression] {
        [
            .meta(.transportProtocol, Register(0)), .compare(Register(0), .equal, [transport.rawValue]),
            .payload(.transport, offset: offset, length: 2, Register(0)),
            .compare(Register(0), .equal, bytes(port)),
        ]
    }

    private static func bytes(_ port: UInt16) -> [UInt8] { [UInt8(port >> 8), UInt8(port & 0xFF)] }

    private static func rule(_ chain: String, _ expressions: [Expression]) -> Rule {
        Rule(table: table, chain: chain, expressions).stamped()
    }
}
