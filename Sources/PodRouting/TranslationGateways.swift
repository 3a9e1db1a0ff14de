package import Addresses
internal import Crypto

/// Which node's translated packets leave by which other node, and the IPv4 address that stands for the node between them.
///
/// Every agent computes both from the Nodes, and all of them come to the same: nothing is agreed on, and nothing written.
package struct TranslationGateways: Sendable {
    private let range: IPPrefix
    private var gateways: [String: TranslationGateway] = [:]
    /// The nodes by the offset in the range that each would have, the oldest first, which has it.
    private var preferring: [UInt32: [Claim]] = [:]
    private var claims: [String: Claim] = [:]
    /// The others, the oldest first, which get other offsets.
    private var crowded: [Claim] = []

    private struct Claim: Hashable, Comparable {
        let offset: UInt32
        let created: String
        let name: String

        init(_ offset: UInt32, _ created: String, _ name: String) {
            self.offset = offset
            self.created = created
            self.name = name
        }

        static func < (left: Claim, right: Claim) -> Bool {
            (left.created, left.name) < (right.created, right.name)
        }
    }

    /// The range unless another one is wanted: a part of the shared address space (RFC 6598).
    package static let defaultRange = IPPrefix(.v4(IPv4Address(rawValue: 0x647E_0000)), length: 16)

    /// No nodes; `range` is one of IPv4 that only gateways and the nodes that use them see.
    package init(range: IPPrefix = defaultRange) { self.range = range }

    // MARK: Nodes

    /// Takes a node's new state, nil when it is gone.
    ///
    /// - Returns: the other nodes of which the answers below may have changed, for any node.
    package mutating func update(_ name: String, _ node: ClusterNode?) -> Set<String> {
        let (oldGateway, oldCrowd) = (gateways[name], crowded)
        gateways[name] = node?.gateway
        let (old, new) = (claims[name], node.map { Claim(preferredOffset($0), $0.created, name) })
        if old != new {
            if let old { change(old.offset) { $0.removeAll { $0 == old } } }
            if let new { change(new.offset) { $0 = ($0 + [new]).sorted() } }
            claims[name] = new
        }
        var affected: Set<String> = []
        if oldGateway != node?.gateway { affected.formUnion(gateways.keys) }
        // Those that have no offset of their own get out of every other node's way.
        if old != new { affected.formUnion((oldCrowd + crowded).map(\.name)) }
        affected.remove(name)
        return affected
    }

    private mutating func change(_ offset: UInt32, _ body: (inout [Claim]) -> Void) {
        var claims = preferring[offset] ?? []
        let before = claims.dropFirst()
        body(&claims)
        preferring[offset] = claims.isEmpty ? nil : claims
        guard before != claims.dropFirst() else { return }
        crowded.removeAll { before.contains($0) }
        crowded = (crowded + claims.dropFirst()).sorted()
    }

    // MARK: Answers

    /// Whether there is any gateway.
    package var isEmpty: Bool { gateways.isEmpty }

    /// What a node says of itself as a gateway; nil where it is none.
    package func gateway(_ name: String) -> TranslationGateway? { gateways[name] }

    /// The node by which a node's translated packets leave, itself where it is a gateway; nil where there is none.
    ///
    /// It is the one of the ready ones that the hash of both names is highest for (rendezvous hashing): a gateway that goes moves
    /// the nodes that had it, and no others. Where none is ready, all count as if they were.
    package func gateway(of node: String) -> String? {
        if gateways[node] != nil { return node }
        let ready = gateways.filter(\.value.isReady)
        return (ready.isEmpty ? gateways : ready).keys.max {
            (Self.hash(node, $0), $0) < (Self.hash(node, $1), $1)
        }
    }

    /// The address that stands for a node at gateways; nil where there is none, or no node of the name.
    package func address(of node: String) -> IPv4Address? {
        guard let claim = claims[node] else { return nil }
        guard crowded.contains(claim) else { return address(at: claim.offset) }
        var taken = Set<UInt32>()
        for other in crowded {
            guard let free = freeOffset(for: other.name, taken) else { return nil }
            if other == claim { return address(at: free) }
            taken.insert(free)
        }
        return nil
    }

    /// What is routed to a node from another one for translated packets' sake: the address that stands for it, and
    /// everything where the other one uses it as its gateway.
    package func destinations(behind name: String, from own: String) -> [IPPrefix] {
        guard name != own, !gateways.isEmpty, let address = address(of: name) else { return [] }
        let isUsed = gateway(of: own) == name
        guard isUsed || gateways[own] != nil else { return [] }
        let host = IPPrefix(.v4(address), length: 32)
        return isUsed ? [host, Self.everything] : [host]
    }

    /// Whether a node may send its translated packets to another one: all that are no gateways may, to each gateway.
    package func isSender(_ name: String, to gateway: String) -> Bool {
        gateways[gateway] != nil && gateways[name] == nil && claims[name] != nil
    }

    /// The names of all nodes.
    package var nodes: some Collection<String> { claims.keys }

    // MARK: Offsets

    /// All of IPv4.
    package static let everything = IPPrefix(.unspecified(.ipv4), length: 0)

    private var capacity: UInt64 { UInt64(1) << UInt64(range.hostBits) }

    private func address(at offset: UInt32) -> IPv4Address {
        IPv4Address(rawValue: UInt32(truncatingIfNeeded: range.address.bits) + offset)
    }

    /// The last bits of the number of the node's IPv6 block where it has one: they differ from node to node as long as all blocks
    /// come from one network that has no more of them than the range has addresses.
    private func preferredOffset(_ node: ClusterNode) -> UInt32 {
        guard let block = node.podPrefixes.first(where: { $0.family == .ipv6 }) else {
            return UInt32(Self.hash(node.name) % capacity)
        }
        return UInt32(UInt64(truncatingIfNeeded: block.address.bits >> UInt128(block.hostBits)) % capacity)
    }

    private func freeOffset(for name: String, _ taken: Set<UInt32>) -> UInt32? {
        let start = Self.hash(name) % capacity
        for step in 0..<capacity {
            let offset = UInt32((start + step) % capacity)
            if preferring[offset] == nil, !taken.contains(offset) { return offset }
        }
        return nil
    }

    private static func hash(_ words: String...) -> UInt64 {
        SHA256.hash(data: Array(words.joined(separator: "\n").utf8)).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
