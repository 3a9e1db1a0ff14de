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
    /// The family policy of new Services that name none, on a cluster of both families.
    public var defaultIPFamilyPolicy = FamilyPolicy.singleStack

    /// How many families a Service has.
    public enum FamilyPolicy: String, Sendable, CaseIterable {
        /// One.
        case singleStack = "SingleStack"
        /// Both where the cluster has both.
        case preferDualStack = "PreferDualStack"
        /// Both.
        case requireDualStack = "RequireDualStack"
    }
    /// Seconds after which an Event that is not written any more is removed; 0 keeps Events.
    public var eventTTL = 3_600
    /// What clients may take.
    public var limits = RequestLimits()

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

    /// Checks ranges and addresses as kube-apiserver does, in its words.
    ///
    /// - Throws: `ConfigurationError`.
    func validate() throws(ConfigurationError) {
        let ranges = serviceClusterIPRanges
        let flag = "--service-cluster-ip-range"
        guard let primary = ranges.first else {
            throw ConfigurationError("\(flag) must contain at least one valid cidr")
        }
        if ranges.count > 2 {
            throw ConfigurationError("\(flag) must not contain more than two entries")
        }
        if ranges.count == 2, ranges[1].family == primary.family {
            throw ConfigurationError("\(flag)[0] and \(flag)[1] must be of different IP family")
        }
        for range in ranges where range.family == .ipv6 && range.length < ClusterIPPool.shortestIPv6Length {
            throw ConfigurationError(
                "specified \(flag) is too large; for 128-bit addresses, the mask must be >= "
                    + "\(ClusterIPPool.shortestIPv6Length)")
        }
        if let advertised = advertiseAddresses.first, advertised.family != primary.family {
            throw ConfigurationError("--advertise-address must match the primary service IP family")
        }
    }
}
