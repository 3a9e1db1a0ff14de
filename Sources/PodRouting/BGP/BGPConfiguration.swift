public import Addresses
internal import RouteNetlink

/// How a node tells routers of its pods' blocks (BGP-4, RFC 4271), through a routing daemon on the node.
public struct BGPConfiguration: Hashable, Sendable {
    /// The routing daemon.
    public enum Daemon: String, CaseIterable, Sendable {
        /// FRRouting.
        case frr
        /// The BIRD Internet Routing Daemon, version 2.
        case bird
    }

    /// A router to speak to.
    public struct Peer: Hashable, Sendable {
        /// The router's address.
        public let address: IPAddress
        /// Its autonomous system.
        public let autonomousSystem: UInt32

        /// Describes a router.
        public init(address: IPAddress, autonomousSystem: UInt32) {
            self.address = address
            self.autonomousSystem = autonomousSystem
        }

        /// Reads an address and a number: `192.0.2.1@64513`.
        public init?(_ text: String) {
            let parts = text.split(separator: "@", omittingEmptySubsequences: false)
            guard parts.count == 2, let address = IPAddress(String(parts[0])), let number = UInt32(parts[1]), number > 0
            else { return nil }
            self.init(address: address, autonomousSystem: number)
        }
    }

    /// The routing daemon of the node.
    public var daemon: Daemon
    /// The node's autonomous system.
    public var autonomousSystem: UInt32
    /// The routers.
    public var peers: [Peer]
    /// The file that the daemon reads: FRR's whole configuration of BGP, or what BIRD's own configuration includes.
    public var file: String
    /// The command that makes the daemon read the file again, without a shell.
    public var reloadCommand: [String]
    /// The command that prints what the daemon tells, every block as a word; empty when nobody can be asked.
    public var checkCommand: [String]

    /// Describes a speaker; file and commands are those of Debian's packages unless they are given.
    ///
    /// With another command to reload there is none to check unless that is given, too.
    public init(
        daemon: Daemon, autonomousSystem: UInt32, peers: [Peer], file: String? = nil, reloadCommand: [String]? = nil,
        checkCommand: [String]? = nil
    ) {
        self.daemon = daemon
        self.autonomousSystem = autonomousSystem
        self.peers = peers
        let file = file ?? (daemon == .frr ? "/etc/frr/duet.conf" : "/etc/bird/duet.conf")
        self.file = file
        self.reloadCommand =
            reloadCommand
            ?? (daemon == .frr
                ? ["/usr/lib/frr/frr-reload.py", "--reload", "--daemon", "bgpd", file] : ["birdc", "configure"])
        self.checkCommand = checkCommand ?? (reloadCommand == nil ? Self.checkCommand(of: daemon) : [])
    }

    private static func checkCommand(of daemon: Daemon) -> [String] {
        switch daemon {
        case .frr: ["vtysh", "-d", "bgpd", "-c", "show running-config"]
        case .bird: ["birdc", "show", "route", "table", "all", "where", "source", "=", "RTS_STATIC"]
        }
    }
}

extension BGPConfiguration {
    /// The number that tells a node from other speakers: its IPv4 address, or one from its name.
    package static func routerID(of node: ClusterNode) -> IPAddress {
        if let address = node.address(.ipv4) { return address }
        let bits = TunnelIdentity.mac(ofNode: node.name, underlay: .ipv6).rawValue & 0xffff_ffff
        return IPAddress(family: .ipv4, bits: UInt128(max(bits, 1)))
    }

    /// The routers that hear of blocks of a family: those of the family, or else all, as the session's family need not be
    /// that of the blocks (RFC 4760, RFC 8950).
    package func peers(for family: IPFamily, of node: ClusterNode) -> [Peer] {
        let same = peers.filter { $0.address.family == family }
        if !same.isEmpty { return same }
        // The next hop of an IPv6 block is an IPv6 address; that of an IPv4 block may be one, too.
        return family == .ipv6 && node.address(.ipv6) == nil ? [] : peers
    }

    /// A node's blocks of a family that routers hear of.
    package func blocks(_ family: IPFamily, of node: ClusterNode) -> [IPPrefix] {
        peers(for: family, of: node).isEmpty ? [] : node.podPrefixes.filter { $0.family == family }.sorted()
    }

    /// The blocks that a daemon should have and that the output of the command to check does not name.
    package func missingBlocks(of node: ClusterNode, in output: String) -> [IPPrefix] {
        let named = Set(output.split(whereSeparator: \.isWhitespace).compactMap { IPPrefix(String($0)) })
        return IPFamily.allCases.flatMap { blocks($0, of: node) }.filter { !named.contains($0) }
    }

    /// The text of the file for a node.
    package func text(for node: ClusterNode) -> String {
        switch daemon {
        case .frr: frrText(for: node)
        case .bird: birdText(for: node)
        }
    }
}
