public import Addresses

/// What the routing of a node must be told.
public struct PodRoutingConfiguration: Sendable {
    /// The node's name.
    public var nodeName: String
    /// The directory that the container runtime reads network configurations from.
    public var cniConfDir: String
    /// The directory of the CNI plugins.
    public var cniBinDir: String
    /// The way between nodes.
    public var routeMode: RouteMode
    /// The link that packets between nodes are confined to; `nil` lets routes decide.
    public var underlayInterface: String?
    /// The UDP port of VXLAN.
    public var vxlanPort: UInt16
    /// The UDP port of WireGuard.
    public var wireGuardPort: UInt16
    /// Which packets leave the cluster under the node's address.
    public var masquerade: MasqueradePolicy
    /// How routers are told of the node's blocks; `nil` when they are not.
    public var bgp: BGPConfiguration?
    /// The range of the addresses that stand for nodes at gateways of translated packets; `nil` where nothing is translated.
    public var gatewayRange: IPPrefix?

    /// Describes a node.
    public init(
        nodeName: String, cniConfDir: String = "/etc/cni/net.d", cniBinDir: String = "/opt/cni/bin",
        routeMode: RouteMode = .auto, underlayInterface: String? = nil, vxlanPort: UInt16 = 4789,
        wireGuardPort: UInt16 = 51820, masquerade: MasqueradePolicy = MasqueradePolicy(),
        bgp: BGPConfiguration? = nil, gatewayRange: IPPrefix? = nil
    ) {
        self.nodeName = nodeName
        self.cniConfDir = cniConfDir
        self.cniBinDir = cniBinDir
        self.routeMode = routeMode
        self.underlayInterface = underlayInterface
        self.vxlanPort = vxlanPort
        self.wireGuardPort = wireGuardPort
        self.masquerade = masquerade
        self.bgp = bgp
        self.gatewayRange = gatewayRange
    }

    var policy: RoutePolicy {
        RoutePolicy(
            mode: routeMode, routersKnowPods: bgp != nil, vxlanPort: vxlanPort, wireGuardPort: wireGuardPort)
    }
}
