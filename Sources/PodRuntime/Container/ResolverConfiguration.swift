package import KubernetesAPI

/// The content of a `resolv.conf`.
package struct ResolverConfiguration: Sendable, Hashable {
    /// Addresses of resolvers, in order.
    package var nameservers: [String]
    /// Search domains, in order.
    package var searches: [String]
    /// Options such as `ndots:5`.
    package var options: [String]

    /// Creates a configuration.
    package init(nameservers: [String] = [], searches: [String] = [], options: [String] = []) {
        self.nameservers = nameservers
        self.searches = searches
        self.options = options
    }

    /// Reads the text of a `resolv.conf`; the last `search` or `domain` line counts.
    package init(parsing text: String) {
        self.init()
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
            guard let key = words.first, words.count > 1 else { continue }
            switch key {
            case "nameserver": nameservers.append(words[1])
            case "search", "domain": searches = Array(words.dropFirst())
            case "options": options = Array(words.dropFirst())
            default: break
            }
        }
    }

    /// What a pod's policy and settings make of the node's own configuration.
    ///
    /// - Returns: the configuration, cut to what resolvers take: 3 servers, 32 domains, 2048 characters of domains;
    ///   and a sentence for the user when something was cut.
    package static func forPod(
        _ spec: PodSpec, namespace: String, clusterServers: [String], clusterDomain: String, node: Self
    ) -> (configuration: Self, omission: String?) {
        var result: Self
        switch (spec.dnsPolicy ?? "ClusterFirst", spec.hostNetwork ?? false) {
        case ("None", _):
            result = Self()
        case ("ClusterFirst", false), ("ClusterFirstWithHostNet", _):
            let domains = ["\(namespace).svc.\(clusterDomain)", "svc.\(clusterDomain)", clusterDomain]
            result = Self(
                nameservers: clusterServers, searches: (domains + node.searches).withoutRepeats, options: ["ndots:5"])
        default:
            result = node
        }
        if let own = spec.dnsConfig {
            result.merge(own)
        }
        return result.cut()
    }

    private mutating func merge(_ own: PodDNSConfig) {
        nameservers = (nameservers + (own.nameservers ?? [])).withoutRepeats
        searches = (searches + (own.searches ?? [])).withoutRepeats
        for option in own.options ?? [] {
            guard let name = option.name else { continue }
            options.removeAll { $0 == name || $0.hasPrefix(name + ":") }
            options.append(option.value.map { "\(name):\($0)" } ?? name)
        }
    }

    private func cut() -> (Self, String?) {
        var result = self
        var omitted: [String] = []
        if nameservers.count > 3 {
            result.nameservers = Array(nameservers.prefix(3))
            omitted.append(
                "Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: "
                    + result.nameservers.joined(separator: " "))
        }
        var length = -1
        result.searches = searches.prefix(32).filter { domain in
            length += domain.utf8.count + 1
            return length <= 2048
        }
        if result.searches.count < searches.count {
            omitted.append(
                "Search Line limits were exceeded, some search paths have been omitted, the applied search line is: "
                    + result.searches.joined(separator: " "))
        }
        return (result, omitted.isEmpty ? nil : omitted.joined(separator: "; "))
    }
}

extension [String] {
    fileprivate var withoutRepeats: [String] {
        var seen: Set<String> = []
        return filter { seen.insert($0).inserted }
    }
}
