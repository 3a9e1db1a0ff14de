package import JSON

/// The keys of configurations in whatever case they come.
///
/// The reference plugins take `HostPort` for `hostPort`, as Go's decoder does where no key matches to the letter, and runtimes
/// rely on it: containerd writes port mappings, bandwidths and address ranges with capital letters.
package enum ConfigurationKeys {
    private static let declared: [String] = [
        "address", "advmss", "allmulti", "args", "backend", "bandwidth", "bridge", "cni", "cniVersion",
        "conditionsV4", "conditionsV6", "containerID", "containerPort", "dataDir", "disableContainerInterface",
        "dns", "domain", "dst", "egressBurst", "egressRate", "enabledad", "externalSetMarkChain", "firewalldZone",
        "forceAddress", "gateway", "gw", "hairpinMode", "hostIP", "hostPort", "id", "ifname", "ingressBurst",
        "ingressPolicy", "ingressRate", "interface", "interfaces", "ip4", "ip6", "ipMasq", "ipMasqBackend",
        "ipRanges", "ipam", "ips", "iptablesAdminChainName", "isDefaultGateway", "isGateway", "mac", "macspoofchk",
        "markMasqBit", "masqAll", "maxID", "minID", "mtu", "name", "nameservers", "options", "pciID",
        "portIsolation", "portMappings", "preserveDefaultVlan", "prevResult", "priority", "promisc", "promiscMode",
        "protocol", "rangeEnd", "rangeStart", "ranges", "resolvConf", "routes", "runtimeConfig", "sandbox",
        "scope", "search", "shapedSubnets", "snat", "socketPath", "subnet", "sysctl", "table", "txQLen", "type",
        "unshapedSubnets", "version", "vlan", "vlanTrunk",
    ]

    /// The key as it is declared; a process has few keys to read, so that no index of them is made.
    private static func declared(_ key: String) -> String {
        if declared.contains(key) { return key }
        let lowercased = key.lowercased()
        return declared.first { $0.utf8.count == key.utf8.count && $0.lowercased() == lowercased } ?? key
    }

    /// The same value with every known key as it is declared; a key that is there to the letter goes first.
    package static func normalised(_ value: JSONValue) -> JSONValue {
        switch value {
        case .array(let elements):
            return .array(elements.map(normalised))
        case .object(let object):
            var result = JSONObject()
            for (key, member) in object {
                let name = declared(key)
                // Names of kernel parameters are the user's own, and case matters in them.
                let member = name == "sysctl" ? member : normalised(member)
                if name == key {
                    result[key] = member
                } else if object[name] == nil {
                    result[name] = member
                }
            }
            return .object(result)
        default:
            return value
        }
    }
}
