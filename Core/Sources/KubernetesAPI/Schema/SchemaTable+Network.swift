extension SchemaTable {
    /// The types of group `network.duet.dev`.
    static let network = """
        AddressBlockSize: ipv4 int32, ipv6 int32
        AddressPool: apiVersion string, kind string, metadata meta.ObjectMeta, spec AddressPoolSpec, status
            AddressPoolStatus
        AddressPoolPrefix: cidr! string, state string
        AddressPoolSpec: blockSize AddressBlockSize, nodeSelector core.NodeSelector, prefixes! [AddressPoolPrefix]
            keys:cidr, purpose! string
        AddressPoolStatus: conditions [meta.Condition] keys:type, ipv4 AddressPoolUsage, ipv6 AddressPoolUsage, prefixes
            [AddressPrefixUsage] keys:cidr
        AddressPoolUsage: allocated! int64, capacity! int64
        AddressPrefixUsage: allocated! int64, capacity! int64, cidr! string
        NodeBlock: cidr! string, pool string, state string
        NodeBlockUsage: capacity! int64, cidr! string, state string, used! int64
        NodeNetwork: apiVersion string, kind string, metadata meta.ObjectMeta, spec NodeNetworkSpec, status
            NodeNetworkStatus
        NodeNetworkSpec: blocks [NodeBlock] keys:cidr
        NodeNetworkStatus: blocks [NodeBlockUsage] keys:cidr, wireGuardPublicKey string
        """
}
