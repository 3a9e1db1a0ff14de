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

    @Flag(
        help: ArgumentHelp(
            "Lead calls of Services to endpoints while they are made, by eBPF programs of cgroups.",
            discussion: "Where the kernel or the cgroups do not allow it nftables does all, as without the option."))
    var connectTimeBalancing = false

    @Option(
        help: ArgumentHelp(
            "The cgroup whose processes --connect-time-balancing serves, below the v2 hierarchy.",
            discussion: "Without it those are all pods of the kubelet, and all processes in the node's network "
                + "namespace.", valueName: "path"))
    var connectTimeCgroup: String?

    @Flag(
        inversion: .prefixedNo,
        help: ArgumentHelp(
            "Let Services that ask for it reach pods that have no address of the caller's family, by translation.",
            discussion: "They, or their namespace, ask by the annotation network.duet.dev/cross-family: enabled."))
    var crossFamily = true

    @Flag(help: "Let all Services do so but those with the annotation network.duet.dev/cross-family: disabled.")
    var crossFamilyServices = false

    @Option(
        help: ArgumentHelp(
            "IPv4 addresses that stand for IPv6 pods on the node; no host may have them.",
            discussion:
                "A prefix of at most 24 bits. None of its addresses leaves the node, so every node may have the "
                + "same.", valueName: "prefix"))
    var standInRange = CrossFamilyOptions.defaultStandIns.description

    @Option(
        help: ArgumentHelp(
            "How many connections the kernel shall track for each processor; 0 leaves its limit as it is.",
            discussion: "It is never lowered, and at least 131072.", valueName: "number"))
    var conntrackMaxPerCore = TrackingLimits().perProcessor

    @Option(
        help: ArgumentHelp(
            "For how long an idle TCP connection is tracked; 0 leaves the kernel's time as it is.", valueName: "seconds"
        ))
    var conntrackTCPTimeoutEstablished = TrackingLimits().establishedSeconds

    @Option(
        help: ArgumentHelp(
            "For how long a TCP connection is tracked that one end has closed; 0 leaves the kernel's time as it is.",
            valueName: "seconds"))
    var conntrackTCPTimeoutCloseWait = TrackingLimits().closeWaitSeconds

    @Flag(help: "Take packets outside of a TCP connection's window for its own, not for invalid ones.")
    var conntrackTCPBeLiberal = false

    @Option(
        help: ArgumentHelp(
            "Port of /healthz, /livez and /metrics; 0 for none (default: 10256, none with --no-service-proxy).",
            discussion: "With --no-service-proxy it has /metrics alone; 10256 is the port of kube-proxy as well."))
    var healthPort: UInt16?

    /// The port of `/metrics` where another proxy makes Services answer; nil for none.
    var metricsPort: UInt16? { serviceProxy || healthPort == 0 ? nil : healthPort }

    /// How Services answer; nil when another proxy makes them answer.
    var proxyOptions: ProxyOptions? {
        get throws {
            guard serviceProxy else { return nil }
            return ProxyOptions(
                nodePortAddresses: try addresses, answersOnLoopback: nodePortsOnLoopback, masqueradesAll: masqueradeAll,
                healthPort: healthPort == 0 ? nil : healthPort ?? ProxyOptions.defaultHealthPort,
                replacesKubeProxy: replaceKubeProxy,
                connectTime: connectTimeBalancing ? ConnectTimeOptions(cgroup: connectTimeCgroup) : nil,
                crossFamily: try translation,
                tracking: TrackingLimits(
                    perProcessor: conntrackMaxPerCore, establishedSeconds: conntrackTCPTimeoutEstablished,
                    closeWaitSeconds: conntrackTCPTimeoutCloseWait, isLiberal: conntrackTCPBeLiberal))
        }
    }

    private var translation: CrossFamilyOptions? {
        get throws {
            guard crossFamily else { return nil }
            guard let range = IPPrefix(standInRange), range.family == .ipv4,
                range.length <= CrossFamilyOptions.longestStandIns
            else {
                throw ValidationError(
                    "--stand-in-range: \"\(standInRange)\" is no IPv4 prefix of at most "
                        + "\(CrossFamilyOptions.longestStandIns) bits, such as \(CrossFamilyOptions.defaultStandIns)")
            }
            return CrossFamilyOptions(standIns: range, includesAll: crossFamilyServices)
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
