public import Addresses

/// What a server needs to know.
public struct APIServerConfiguration: Sendable {
    /// Directory of the database, the certificates and `admin.kubeconfig`.
    public var dataDirectory: String
    /// Address to listen on; `::` listens on every address of both families, `0.0.0.0` on those of IPv4.
    public var bindAddress: String
    /// Port to listen on.
    public var securePort: Int
    /// Addresses under which nodes and pods reach the server, the preferred one first.
    public var advertiseAddresses: [IPAddress]
    /// One range per family for cluster IPs, the primary family first.
    public var serviceClusterIPRanges: [IPPrefix]
    /// Ports that Services get on nodes.
    public var serviceNodePortRange: ClosedRange<Int>
    /// File of bearer tokens: lines of token, user, uid and groups, as of `kube-apiserver --token-auth-file`.
    public var tokenAuthFile: String?

    /// Creates a configuration.
    public init(
        dataDirectory: String, bindAddress: String = "::", securePort: Int = 6443, advertiseAddresses: [IPAddress],
        serviceClusterIPRanges: [IPPrefix], serviceNodePortRange: ClosedRange<Int> = 30000...32767,
        tokenAuthFile: String? = nil
    ) {
        self.dataDirectory = dataDirectory
        self.bindAddress = bindAddress
        self.securePort = securePort
        self.advertiseAddresses = advertiseAddresses
        self.serviceClusterIPRanges = serviceClusterIPRanges
        self.serviceNodePortRange = serviceNodePortRange
        self.tokenAuthFile = tokenAuthFile
    }
}
