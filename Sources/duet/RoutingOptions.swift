import Addresses
public import ArgumentParser
import PodRouting

/// Options about the way between pods, nodes and the outside.
struct RoutingOptions: ParsableArguments {
    @OptionGroup var way: PodWayOptions

    @Option(help: "Link that packets between nodes are confined to (default: as the node's routes say).")
    var underlayInterface: String?

    @Option(help: "UDP port of VXLAN.")
    var vxlanPort: UInt16 = 4789

    @Option(help: "UDP port of WireGuard.")
    var wireguardPort: UInt16 = 51820

    @Option(help: "Routing daemon of the node that tells routers of its pods' blocks: frr or bird.")
    var bgpDaemon: BGPConfiguration.Daemon?

    @Option(help: "Autonomous system of the node.")
    var bgpAsn: UInt32?

    @Option(help: "Routers to tell: ADDRESS@ASN, separated by commas.")
    var bgpPeers: String?

    @Option(help: "File that is written for the routing daemon.")
    var bgpConfig: String?

    @Option(help: "Command, words separated by spaces, that makes the routing daemon read its file again.")
    var bgpReloadCommand: String?

    @Option(help: "Command, words separated by spaces, that prints every block that the routing daemon tells.")
    var bgpCheckCommand: String?

    func validate() throws {
        _ = try bgp()
    }

    /// The configuration of a node's routing.
    func configuration(_ common: NodeOptions) throws -> PodRoutingConfiguration {
        PodRoutingConfiguration(
            nodeName: common.nodeName, cniConfDir: common.cniConfDir, cniBinDir: common.cniBinDir,
            routeMode: way.routeMode, underlayInterface: underlayInterface, vxlanPort: vxlanPort,
            wireGuardPort: wireguardPort, masquerade: try way.masqueradePolicy(), bgp: try bgp())
    }

    private static func words(_ command: String?) -> [String]? {
        command?.split(separator: " ").map(String.init)
    }

    private func bgp() throws -> BGPConfiguration? {
        guard let bgpDaemon else {
            guard bgpAsn == nil, bgpPeers == nil, bgpConfig == nil, bgpReloadCommand == nil, bgpCheckCommand == nil
            else {
                throw ValidationError("--bgp-… options need --bgp-daemon frr or --bgp-daemon bird")
            }
            return nil
        }
        guard let bgpAsn, bgpAsn > 0, let bgpPeers else {
            throw ValidationError("--bgp-daemon needs --bgp-asn and --bgp-peers")
        }
        let peers = try bgpPeers.split(separator: ",", omittingEmptySubsequences: false).map { item in
            guard let peer = BGPConfiguration.Peer(String(item)) else {
                throw ValidationError("--bgp-peers: \"\(item)\" is no ADDRESS@ASN such as 192.0.2.1@64513")
            }
            return peer
        }
        return BGPConfiguration(
            daemon: bgpDaemon, autonomousSystem: bgpAsn, peers: peers, file: bgpConfig,
            reloadCommand: Self.words(bgpReloadCommand), checkCommand: Self.words(bgpCheckCommand))
    }
}

extension BGPConfiguration.Daemon: ExpressibleByArgument {}
