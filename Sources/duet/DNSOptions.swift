import Addresses
public import ArgumentParser
import ClusterDNS
import ClusterNames
import DNSMessage
public import DNSResolution
import DNSServing

/// Options about names: of `duet dns`, and of `duet agent`, which answers for them too.
struct DNSOptions: ParsableArguments {
    @Option(help: "Domain of the cluster's names.")
    var clusterDomain = "cluster.local"

    @Option(help: "Seconds that the cluster's records may be kept, at most 3600.")
    var dnsTtl: UInt32 = 30

    @Option(help: "Names of pods (10-0-0-1.default.pod.DOMAIN): disabled, insecure or verified.")
    var dnsPods = ZoneSettings.PodNames.insecure

    @Option(
        help: """
            Answer the first question of a pod's search with the result of the whole search: the domains that pods \
            search after the cluster's, separated by commas, or "cluster" for no more than those.
            """)
    var dnsSearchShortcut: String?

    @Flag(help: "Name endpoints without a hostname after their pods instead of their addresses.")
    var dnsEndpointPodNames = false

    @Flag(help: "Let Services with addresses but without ready endpoints not exist.")
    var dnsHideEmptyServices = false

    @Option(help: "Server for names outside the cluster, such as 192.0.2.1 or tls://9.9.9.9#dns.quad9.net; repeatable.")
    var dnsUpstream: [String] = []

    @Option(help: "Servers of a domain, as in corp.example=192.0.2.1,2001:db8::1; repeatable.")
    var dnsStub: [String] = []

    @Option(help: "File that names the servers where there is no --dns-upstream; changes are followed.")
    var dnsResolvConf = "/etc/resolv.conf"

    @Option(help: "Networks that are answered beside pods and nodes: prefixes, separated by commas.")
    var dnsAllow: String?

    @Option(help: "Address of the node's own to answer on too; repeatable.")
    var dnsLocalAddress: [String] = []

    @Option(
        help: "Port on which nodes stand in for each other's server, the same on all of them; 0 for not at all.")
    var dnsPeerPort: UInt16 = 10053

    @Option(help: "Prefix that IPv4 addresses are embedded in for DNS64, such as 64:ff9b::/96; repeatable.")
    var dns64Prefix: [String] = []

    @Option(help: "IPv4 networks that no addresses are made of: prefixes, separated by commas.")
    var dns64ExcludeIpv4: String?

    @Option(help: "IPv6 networks whose addresses count as absent: prefixes, separated by commas.")
    var dns64ExcludeIpv6: String?

    @Option(help: "For pods that have IPv4 alone: pass or filter.")
    var dnsIpv4OnlyPods = Treatment.pass

    @Option(help: "For pods that have IPv6 alone: pass, synthesize, filter, or \"synthesize,filter\".")
    var dnsIpv6OnlyPods = Treatment.synthesize

    @Option(help: "For pods that have both families: pass or synthesize.")
    var dnsDualStackPods = Treatment.pass

    @Option(help: "Seconds that answers may be used after their end while no server answers; 0 for not at all.")
    var dnsServeStale: UInt32 = 86400

    @Option(help: "Port of /metrics; 0 for none.")
    var dnsMetricsPort: UInt16 = 0

    @Option(help: "Path of a socket at which the next process takes over without a gap.")
    var dnsHandover: String?

    @Option(help: "Seconds that a process which is told to end goes on answering.")
    var dnsLameduck = 0

    func validate() throws { _ = try configuration(nodeName: nil) }

    /// The prefixes that are named.
    var translationPrefixes: [TranslationPrefix] {
        get throws { try dns64Prefix.map { try TranslationPrefix(argument: $0, option: "--dns64-prefix") } }
    }

    /// The configuration of a node's server.
    ///
    /// - Parameter translation: what the node translates by, which is used where no prefix is named.
    func configuration(nodeName: String?, translation: TranslationPrefix? = nil) throws -> ClusterDNSConfiguration {
        guard dnsTtl <= 3600 else { throw ValidationError("--dns-ttl must be at most 3600") }
        guard dnsLameduck >= 0 else { throw ValidationError("--dns-lameduck must not be below 0") }
        guard let domain = DNSName(clusterDomain),
            let zone = ZoneSettings(domain: domain, ttl: dnsTtl, pods: dnsPods, searchShortcut: try searches())
        else {
            throw ValidationError(
                "--cluster-domain: \"\(clusterDomain)\" is not a domain name: use one such as \"cluster.local\"")
        }
        guard !dnsIpv4OnlyPods.contains(.synthesize) else {
            throw ValidationError(
                "--dns-ipv4-only-pods: synthesize makes IPv6 addresses, and these pods have none; give pass or filter")
        }
        guard !dnsDualStackPods.contains(.filter) else {
            throw ValidationError(
                "--dns-dual-stack-pods: filter leaves out what a pod has no address for, and these have both; give pass or "
                    + "synthesize")
        }
        var result = ClusterDNSConfiguration(zone: zone)
        result.nodeName = nodeName
        result.names.usesPodNames = dnsEndpointPodNames
        result.names.hidesEmptyServices = dnsHideEmptyServices
        if !dnsUpstream.isEmpty { result.upstreams = try dnsUpstream.map(upstream) }
        result.stubs = try dnsStub.map { text in
            guard let rule = ForwardRule(text: text) else {
                throw ValidationError(
                    "--dns-stub: \"\(text)\" is not a domain and its servers, as in a.example=192.0.2.1")
            }
            return rule
        }
        result.resolvConf = dnsResolvConf
        result.allowed = try prefixes(dnsAllow, "--dns-allow")
        result.localAddresses = Set(
            try dnsLocalAddress.map { text in
                guard let address = IPAddress(text) else {
                    throw ValidationError("--dns-local-address: \"\(text)\" is no address")
                }
                return address
            })
        result.server.resolver.policy = TreatmentPolicy(
            ipv4Only: dnsIpv4OnlyPods, ipv6Only: dnsIpv6OnlyPods, dualStack: dnsDualStackPods)
        let named = try translationPrefixes
        result.server.resolver.dns64 = DNS64(
            prefixes: named.isEmpty ? translation.map { [$0] } ?? [] : named,
            excludedIPv6: try prefixes(dns64ExcludeIpv6, "--dns64-exclude-ipv6", family: .ipv6),
            excludedIPv4: try prefixes(dns64ExcludeIpv4, "--dns64-exclude-ipv4", family: .ipv4))
        result.server.resolver.staleSeconds = dnsServeStale
        result.hasFailover = dnsPeerPort != 0
        result.server.peerPort = dnsPeerPort
        result.metricsPort = dnsMetricsPort == 0 ? nil : dnsMetricsPort
        result.handoverPath = dnsHandover
        result.lameduckSeconds = dnsLameduck
        return result
    }

    private func searches() throws -> [DNSName]? {
        guard let text = dnsSearchShortcut else { return nil }
        if text == "cluster" { return [] }
        return try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
            guard let name = DNSName(String(part)), name != .root else {
                throw ValidationError("--dns-search-shortcut: \"\(part)\" is not a domain name")
            }
            return name
        }
    }

    private func upstream(_ text: String) throws -> Upstream {
        guard let upstream = Upstream(text: text) else {
            throw ValidationError(
                "--dns-upstream: \"\(text)\" is no server such as 192.0.2.1, [2001:db8::1]:53 or tls://192.0.2.1#name")
        }
        return upstream
    }

    private func prefixes(_ text: String?, _ option: String, family: IPFamily? = nil) throws -> [IPPrefix] {
        guard let text else { return [] }
        return try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
            guard let prefix = IPPrefix(String(part)), family == nil || prefix.family == family else {
                throw ValidationError(
                    "\(option): \"\(part)\" is no prefix \(family.map { "of \($0)" } ?? "such as 10.0.0.0/8")")
            }
            return prefix
        }
    }
}

extension ZoneSettings.PodNames: @retroactive ExpressibleByArgument {}

extension Treatment: @retroactive ExpressibleByArgument {
    /// Reads the text form.
    public init?(argument: String) { self.init(text: argument) }

    /// The form that is read, where help would show a number.
    public var defaultValueDescription: String { description }
}
