import Addresses
import ArgumentParser
import NodeTranslation

/// Options about pods with IPv6 alone that make sense for a node and for a whole cluster.
struct PodTranslationOptions: ParsableArguments {
    /// Whether pods are translated for, and by what.
    enum Mode: String, ExpressibleByArgument, CaseIterable {
        case off, auto, kernel, userspace
    }

    @Option(
        help: """
            Whether pods with IPv6 alone reach IPv4 (NAT64): off, kernel (by eBPF), userspace, or auto (kernel where it \
            can). Names are answered to suit (DNS64).
            """)
    var nat64 = Mode.off

    @Option(help: "Prefix that IPv4 addresses are embedded in (default: the first --dns64-prefix, or 64:ff9b::/96).")
    var nat64Prefix: String?

    @Option(help: "IPv4 range of the private addresses that stand for pods on their node.")
    var nat64PodRange = NodeTranslationOptions.defaultPodRange.description

    @Option(
        help: """
            What holds for pods that have no annotation network.duet.dev/nat64, and whose namespace and node have none: \
            enabled or disabled.
            """)
    var nat64Default = TranslationDefault.enabled

    @Option(
        help: """
            Whether pods have a CLAT (464XLAT) that have no annotation network.duet.dev/clat, and whose namespace and \
            node have none: enabled or disabled.
            """)
    var nat64Clat = TranslationDefault.disabled

    @Option(help: "Private or cluster networks that pods may reach: IPv4 prefixes, separated by commas.")
    var nat64Allow: String?

    @Option(
        help: """
            Addresses and networks, separated by commas, of which a node's own stand for its pods outside; a node \
            without any uses that of the link.
            """)
    var nat64Egress: String?

    @Option(
        help: "IPv4 range of the addresses that stand for nodes at gateways, nodes by which translated packets leave.")
    var nat64GatewayRange = NodeTranslationOptions.defaultGatewayRange.description

    @Flag(help: "Let the node's own processes, and pods that share its network, reach IPv4 by the prefix, too.")
    var nat64Node = false

    /// What holds for pods of which no annotation says anything.
    enum TranslationDefault: String, ExpressibleByArgument, CaseIterable {
        case enabled, disabled
    }

    func validate() throws { _ = try options(dns64: []) }

    /// The options as arguments of `duet agent`, without those that have their defaults.
    var arguments: [String] {
        var arguments: [String] = []
        if nat64 != .off { arguments += ["--nat64", nat64.rawValue] }
        if let nat64Prefix { arguments += ["--nat64-prefix", nat64Prefix] }
        if nat64PodRange != "\(NodeTranslationOptions.defaultPodRange)" {
            arguments += ["--nat64-pod-range", nat64PodRange]
        }
        if nat64Default != .enabled { arguments += ["--nat64-default", nat64Default.rawValue] }
        if nat64Clat != .disabled { arguments += ["--nat64-clat", nat64Clat.rawValue] }
        if let nat64Allow { arguments += ["--nat64-allow", nat64Allow] }
        if let nat64Egress { arguments += ["--nat64-egress", nat64Egress] }
        if nat64Node { arguments.append("--nat64-node") }
        if nat64GatewayRange != "\(NodeTranslationOptions.defaultGatewayRange)" {
            arguments += ["--nat64-gateway-range", nat64GatewayRange]
        }
        return arguments
    }

    /// How a node translates; nil when it does not.
    ///
    /// - Parameter dns64: the prefixes that names are answered with, where the options of names say so.
    func options(dns64: [TranslationPrefix]) throws -> NodeTranslationOptions? {
        if nat64 == .off, let useless = arguments.first {
            throw ValidationError(
                "\(useless): nothing is translated; give --nat64 auto, too, or leave the option out")
        }
        let given = try nat64Prefix.map { try TranslationPrefix(argument: $0, option: "--nat64-prefix") }
        if let given, !dns64.isEmpty, !dns64.contains(given) {
            throw ValidationError(
                "--nat64-prefix \(given.prefix): names are answered with another prefix; name it with --dns64-prefix, too, "
                    + "or leave that out")
        }
        let path: NodeTranslationOptions.Path
        switch nat64 {
        case .off: return nil
        case .auto: path = .auto
        case .kernel: path = .kernel
        case .userspace: path = .userspace
        }
        let prefix = given ?? dns64.first ?? .wellKnown
        guard path != .kernel || prefix.prefix.length == 96 else {
            throw ValidationError(
                "--nat64 kernel: programs translate by a prefix of length 96, and \(prefix.prefix) is none; name another with "
                    + "--nat64-prefix, or give --nat64 auto")
        }
        let range = try Self.range(nat64PodRange, "--nat64-pod-range", example: "100.127.0.0/16")
        let gatewayRange = try Self.range(nat64GatewayRange, "--nat64-gateway-range", example: "100.126.0.0/16")
        guard !range.overlaps(gatewayRange) else {
            throw ValidationError(
                "--nat64-gateway-range \(gatewayRange): it overlaps with --nat64-pod-range \(range); name another range"
            )
        }
        guard
            let options = NodeTranslationOptions(
                path: path, prefix: prefix, podRange: range,
                translatesUnlessDisabled: nat64Default == .enabled,
                givesCLATUnlessDisabled: nat64Clat == .enabled,
                allowed: try networks(nat64Allow, "--nat64-allow"), egress: try networks(nat64Egress, "--nat64-egress"),
                gatewayRange: gatewayRange, translatesNode: nat64Node)
        else {
            throw ValidationError(
                "--nat64-pod-range \(range), --nat64-gateway-range \(gatewayRange): one is no IPv4 range of at least eight "
                    + "addresses")
        }
        return options
    }

    private static func range(_ text: String, _ option: String, example: String) throws -> IPPrefix {
        guard let range = IPPrefix(text) else {
            throw ValidationError("\(option): \"\(text)\" is no prefix such as \(example)")
        }
        return range
    }

    private func networks(_ text: String?, _ option: String) throws -> [IPPrefix] {
        guard let text else { return [] }
        return try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
            let single = IPAddress(String(part)).map { IPPrefix($0, length: $0.family.bitWidth) }
            guard let network = single ?? IPPrefix(String(part)), network.family == .ipv4 else {
                throw ValidationError("\(option): \"\(part)\" is no IPv4 network such as 192.0.2.0/24")
            }
            return network
        }
    }
}

extension TranslationPrefix {
    /// Reads the argument of an option.
    init(argument text: String, option: String) throws {
        guard let prefix = IPPrefix(text).flatMap(TranslationPrefix.init) else {
            throw ValidationError(
                "\(option): \"\(text)\" is no IPv6 prefix of 32, 40, 48, 56, 64 or 96 bits (RFC 6052)")
        }
        self = prefix
    }
}
