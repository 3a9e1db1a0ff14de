public import DNSMessage

/// The cluster domain and how it is answered for; these do not change while a server runs.
public final class ZoneSettings: Sendable {
    /// How names of pods are answered (`10-0-0-1.default.pod.cluster.local`).
    public enum PodNames: String, Sendable, CaseIterable {
        /// Not at all: they do not exist.
        case disabled
        /// Every name that is an address in a namespace that exists leads to that address.
        case insecure
        /// Only addresses of pods of that namespace.
        case verified
    }

    /// The cluster domain.
    public let domain: DNSName
    /// How long records may be kept, in seconds.
    public let ttl: UInt32
    /// How names of pods are answered.
    public let pods: PodNames
    /// The domains that pods search after those of the cluster; nil leaves the search to the pods.
    public let searchShortcut: [DNSName]?
    /// The name of the server within the zone.
    public let serverName: DNSName
    let servicesName: DNSName
    let podsName: DNSName
    let versionName: DNSName
    let mailbox: DNSName
    /// The domain in lower case.
    let foldedDomain: [UInt8]
    let foldedServices: [UInt8]
    let foldedPods: [UInt8]
    /// What follows a pod's namespace in its search list, in lower case and in the order of the list.
    let foldedSearches: [[UInt8]]

    /// Describes a zone; nil if the domain leaves no room for names.
    ///
    /// - Parameter searchShortcut: the domains that pods search after the cluster's; with it, the first question of a
    ///   search is answered with the result of the whole search.
    public init?(
        domain: DNSName, ttl: UInt32 = 30, pods: PodNames = .insecure, searchShortcut: [DNSName]? = nil
    ) {
        guard let version = domain.prepending("dns-version"), let services = domain.prepending("svc"),
            let podsName = domain.prepending("pod"), let mailbox = domain.prepending("hostmaster"),
            let server = domain.prepending("dns")?.prepending("ns")
        else { return nil }
        self.domain = domain
        self.ttl = ttl
        self.pods = pods
        self.searchShortcut = searchShortcut
        serverName = server
        servicesName = services
        self.podsName = podsName
        versionName = version
        self.mailbox = mailbox
        foldedDomain = domain.wire.map(DNSName.folded)
        foldedServices = services.wire.map(DNSName.folded)
        foldedPods = podsName.wire.map(DNSName.folded)
        let searches = [services, domain] + (searchShortcut ?? []) + [.root]
        foldedSearches = searches.map { $0.wire.map(DNSName.folded) }
    }
}
