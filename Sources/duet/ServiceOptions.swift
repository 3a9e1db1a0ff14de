import Addresses
import ArgumentParser
import ServiceProxy

/// Options of `duet agent` that say how Services answer on the node.
struct ServiceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where node ports answer: prefixes of the node's addresses, separated by commas, or \"primary\".",
            discussion: "Without it they answer on all addresses of the node but loopback ones. "
                + "In a family that the list has no prefix of there are no node ports.", valueName: "prefixes"))
    var nodePortAddresses: String?

    @Flag(help: "Let node ports answer on 127.0.0.1 too, to callers on the node.")
    var nodePortsOnLoopback = false

    @Flag(help: "Let callers of cluster addresses always appear as the node, pods of the node included.")
    var masqueradeAll = false

    @Flag(inversion: .prefixedNo, help: "Make Services answer on the node; without, leave them to another proxy.")
    var serviceProxy = true

    @Flag(help: "Remove the rules that kube-proxy left, as soon as there are others in their place.")
    var replaceKubeProxy = false

    @Option(help: "Port of /healthz and /livez of the node's Services; 0 for none.")
    var healthPort: UInt16 = 10_256

    /// How Services answer; nil when another proxy makes them answer.
    var proxyOptions: ProxyOptions? {
        get throws {
            guard serviceProxy else { return nil }
            return ProxyOptions(
                nodePortAddresses: try addresses, answersOnLoopback: nodePortsOnLoopback, masqueradesAll: masqueradeAll,
                healthPort: healthPort == 0 ? nil : healthPort, replacesKubeProxy: replaceKubeProxy)
        }
    }

    private var addresses: ProxyOptions.NodePortAddresses {
        get throws {
            guard let text = nodePortAddresses else { return .all }
            if text == "primary" { return .primary }
            return .within(
                try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
                    guard let prefix = IPPrefix(String(part)) else {
                        throw ValidationError(
                            "--node-port-addresses: \"\(part)\" is no prefix such as 192.0.2.0/24 or 2001:db8::/64")
                    }
                    return prefix
                })
        }
    }
}
