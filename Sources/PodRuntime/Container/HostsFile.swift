package import Addresses
package import KubernetesAPI

/// The `/etc/hosts` of a pod's containers.
package enum HostsFile {
    /// The file for a pod with addresses of its own.
    package static func text(
        addresses: [IPAddress], hostname: String, subdomain: String?, aliases: [HostAlias]
    ) -> String {
        var lines = [
            "# Kubernetes-managed hosts file.",
            "127.0.0.1\tlocalhost",
            "::1\tlocalhost ip6-localhost ip6-loopback",
            "fe00::0\tip6-localnet",
            "fe00::0\tip6-mcastprefix",
            "fe00::1\tip6-allnodes",
            "fe00::2\tip6-allrouters",
        ]
        let names = subdomain.map { "\(hostname).\($0)\t\(hostname)" } ?? hostname
        lines += addresses.map { "\($0)\t\(names)" }
        return lines.joined(separator: "\n") + "\n" + aliasText(aliases)
    }

    /// The node's file with the pod's aliases, for a pod that shares the node's network.
    package static func text(node: String, aliases: [HostAlias]) -> String {
        "# Kubernetes-managed hosts file (host network).\n" + node + aliasText(aliases)
    }

    private static func aliasText(_ aliases: [HostAlias]) -> String {
        guard !aliases.isEmpty else { return "" }
        return "\n# Entries added by HostAliases.\n"
            + aliases.map { "\($0.ip)\t\(($0.hostnames ?? []).joined(separator: "\t"))\n" }.joined()
    }
}
