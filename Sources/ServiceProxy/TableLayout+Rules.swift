internal import Addresses
internal import NFTables

extension TableLayout {
    /// The rules of the chains that always exist, in the order of each chain.
    var rules: [Rule] {
        [
            rule(ChainName.destinations, [.verdict(.jump(ChainName.dispatch))]),
            rule(ChainName.ownDestinations, [.verdict(.jump(ChainName.dispatch))]),
            rule(ChainName.dispatch, fromElsewhereToClusterAddress + setMasqueradeMark),
            rule(ChainName.dispatch, serviceKey + [verdict(.services)]),
            rule(ChainName.dispatch, toNode + HeaderLayout.destinationPort(from: 0) + [verdict(.nodePorts)]),
            rule(ChainName.incoming, isNew + [.verdict(.jump(ChainName.unserved))]),
            rule(ChainName.outgoing, isNew + [.verdict(.jump(ChainName.unserved))]),
            rule(ChainName.unserved, serviceKey + [verdict(.unserved)]),
            rule(ChainName.unserved, toNode + HeaderLayout.destinationPort(from: 0) + [verdict(.unservedNodePorts)]),
            rule(
                ChainName.unserved, [header.destination(), isIn(.clusterAddresses), .verdict(.goto(ChainName.refuse))]),
            rule(ChainName.refuse, [.reject(.icmp(code: header.portUnreachable))]),
            rule(ChainName.sources, takeMasqueradeMark + [.masquerade(fullyRandom: true)]),
            rule(ChainName.sources, hairpinKey + [isIn(.hairpins), .masquerade(fullyRandom: true)]),
        ]
    }

    /// The rules of the chains that Services with so many endpoints share.
    func rules(forEndpoints count: UInt32) -> [Rule] {
        let service = ChainName.endpoints(count)
        let node = ChainName.nodeEndpoints(count)
        let afterServiceKey = header.register(afterAddressAnd: 2)
        let afterNodeKey = Register(2)
        // The second draw of each chain is for a packet that meets a change of the maps half-way and finds its first
        // slot gone: the slot 0 is the last to go.
        return [.random(modulus: count, afterServiceKey), .immediate(UInt32(0).registerBytes, afterServiceKey)].map {
            rule(service, serviceKey + [$0] + translate(by: .endpoints))
        } + [rule(node, setMasqueradeMark)]
            + [.random(modulus: count, afterNodeKey), .immediate(UInt32(0).registerBytes, afterNodeKey)].map {
                rule(node, HeaderLayout.destinationPort(from: 0) + [$0] + translate(by: .nodePortEndpoints))
            }
    }

    private func rule(_ chain: String, _ expressions: [Expression]) -> Rule {
        Rule(table: table, chain: chain, expressions).stamped()
    }

    private func verdict(_ map: MapName) -> Expression { .verdictMap(map.rawValue, Register(0)) }

    private func isIn(_ set: MapName, inverted: Bool = false) -> Expression {
        .contains(set: set.rawValue, Register(0), inverted: inverted)
    }

    /// Loads destination address, protocol and destination port.
    private var serviceKey: [Expression] {
        [header.destination()] + HeaderLayout.destinationPort(from: header.register(afterAddressAnd: 0).index)
    }

    /// Loads source and destination address.
    private var hairpinKey: [Expression] {
        [header.source(), header.destination(header.register(afterAddressAnd: 0))]
    }

    /// Looks an endpoint up and translates the destination to it.
    private func translate(by map: MapName) -> [Expression] {
        [
            .lookup(map: map.rawValue, Register(0), into: Register(0)),
            .nat(.destination, family, address: Register(0), port: header.register(afterAddressAnd: 0)),
        ]
    }

    /// Goes on if the connection is new.
    private var isNew: [Expression] {
        [
            .connection(.state, Register(0)),
            .bitwise(
                Register(0), mask: ConnectionState.new.registerBytes, xor: UInt32(0).registerBytes, Register(0)),
            .compare(Register(0), .notEqual, UInt32(0).registerBytes),
        ]
    }

    /// Goes on if the destination is an address of this node that can be reached from outside.
    private var toNode: [Expression] {
        let loopback = header.loopback
        let ones = IPAddress(family: family, bits: .max >> (128 - UInt128(family.bitWidth)))
        return [
            .fib(.destinationKind, Register(0)),
            .compare(Register(0), .equal, AddressKind.local.registerBytes),
            header.destination(),
            .bitwise(
                Register(0), mask: IPPrefix(ones, length: loopback.length).address.bytes,
                xor: IPAddress(family: family, bits: 0).bytes, Register(0)),
            .compare(Register(0), .notEqual, loopback.address.bytes),
        ]
    }

    /// Goes on if a cluster address is called from elsewhere than a pod of this node: the answer must come back by here.
    private var fromElsewhereToClusterAddress: [Expression] {
        [header.destination(), isIn(.clusterAddresses), header.source(), isIn(.localPods, inverted: true)]
    }

    private var setMasqueradeMark: [Expression] {
        changeMark(keeping: ~Self.masqueradeMark, flipping: Self.masqueradeMark)
    }

    /// Goes on if the packet is marked, and clears the mark.
    private var takeMasqueradeMark: [Expression] {
        [
            .meta(.mark, Register(0)),
            .bitwise(
                Register(0), mask: Self.masqueradeMark.registerBytes, xor: UInt32(0).registerBytes, Register(0)),
            .compare(Register(0), .notEqual, UInt32(0).registerBytes),
        ] + changeMark(keeping: ~Self.masqueradeMark, flipping: 0)
    }

    private func changeMark(keeping mask: UInt32, flipping bits: UInt32) -> [Expression] {
        [
            .meta(.mark, Register(0)),
            .bitwise(Register(0), mask: mask.registerBytes, xor: bits.registerBytes, Register(0)),
            .setMark(Register(0)),
        ]
    }
}
