import Addresses
import Translation

/// Makes values of what a configuration file says.
struct TranslatorFileReader {
    let file: TranslatorFile

    // MARK: Modes

    func stateful(_ secret: UInt64) throws(TranslatorConfigurationError) -> NAT64Configuration {
        if file.map != nil {
            throw TranslatorConfigurationError("map", "pairs of addresses belong to mode: stateless")
        }
        if file.hostsInPrefix != nil {
            throw TranslatorConfigurationError(
                "hostsInPrefix", "it belongs to mode: stateless; with sessions clients are never inside the prefix")
        }
        let prefix = try translationPrefix() ?? .wellKnown
        let pool = try addressPool()
        var configuration = NAT64Configuration(
            prefix: prefix, pool: pool, ports: try portRange(), forwards: try forwards(pool, prefix),
            filtering: try filtering(), timeouts: try timeouts(), deniedDestinations: try denied(),
            embedsNonGlobal: file.embedsNonGlobal ?? false, secret: secret,
            options: try options(ipv4: pool[0], prefix))
        let limits = file.limits
        configuration.maximumSessions = try number(limits?.sessions, "limits.sessions", 1...(1 << 28)) ?? 1 << 20
        configuration.sessionsPerClient =
            try number(limits?.sessionsPerClient, "limits.sessionsPerClient", 1...(1 << 28)) ?? 16_384
        configuration.mappingsPerClient =
            try number(limits?.portsPerClient, "limits.portsPerClient", 1...(3 * 65_536)) ?? 4096
        configuration.clientPrefixLength =
            try number(limits?.clientPrefixLength, "limits.clientPrefixLength", 1...128) ?? 128
        configuration.maximumHeldFragments = try number(limits?.heldFragments, "limits.heldFragments", 0...65_536) ?? 64
        configuration.maximumHeldSYNs = try number(limits?.heldOpens, "limits.heldOpens", 0...65_536) ?? 64
        configuration.maximumRestingPorts =
            try number(limits?.restingPorts, "limits.restingPorts", 0...(1 << 28)) ?? configuration.maximumRestingPorts
        return configuration
    }

    func stateless() throws(TranslatorConfigurationError) -> TranslatorConfiguration.Mode {
        for (key, isSet) in [
            ("pool", file.pool != nil), ("ports", file.ports != nil), ("forwards", file.forwards != nil),
            ("filtering", file.filtering != nil), ("timeouts", file.timeouts != nil), ("deny", file.deny != nil),
            ("limits.sessions", file.limits?.sessions != nil),
            ("limits.sessionsPerClient", file.limits?.sessionsPerClient != nil),
            ("limits.portsPerClient", file.limits?.portsPerClient != nil),
            ("limits.clientPrefixLength", file.limits?.clientPrefixLength != nil),
            ("limits.heldFragments", file.limits?.heldFragments != nil),
            ("limits.heldOpens", file.limits?.heldOpens != nil),
            ("limits.restingPorts", file.limits?.restingPorts != nil),
        ] where isSet {
            throw TranslatorConfigurationError(key, "there are no sessions in mode: stateless; leave it out")
        }
        var pairs: [ExplicitAddressMapping] = []
        for (index, pair) in (file.map ?? []).enumerated() {
            let key = "map[\(index)]"
            let (ipv4, ipv6) = (try network(pair.ipv4, "\(key).ipv4"), try network(pair.ipv6, "\(key).ipv6"))
            guard let mapping = ExplicitAddressMapping(ipv4: ipv4, ipv6: ipv6) else {
                throw TranslatorConfigurationError(
                    key, "\(ipv4) and \(ipv6) are no pair: an IPv4 network, and an IPv6 network with as many host bits")
            }
            try checkHosts(mapping.ipv4, "\(key).ipv4")
            try checkHosts(mapping.ipv6, "\(key).ipv6")
            if let other = pairs.firstIndex(where: { $0.ipv4 == mapping.ipv4 || $0.ipv6 == mapping.ipv6 }) {
                throw TranslatorConfigurationError(key, "map[\(other)] has the same network of one of the families")
            }
            pairs.append(mapping)
        }
        let prefix = try translationPrefix()
        guard prefix != nil || !pairs.isEmpty else {
            throw TranslatorConfigurationError("map", "without a prefix and a pair of addresses nothing is translated")
        }
        // Without pairs it is by the prefix that hosts have addresses of both families.
        let mapper = AddressMapper(
            explicit: pairs, prefix: prefix, embedsNonGlobal: file.embedsNonGlobal ?? false,
            hostsAreEmbedded: file.hostsInPrefix ?? pairs.isEmpty)
        // RFC 7600 §4.8: the IPv4 address that stands for routers without one.
        let dummy = IPv4Address(rawValue: 0xC000_0008)
        return .stateless(mapper, try options(ipv4: dummy, prefix), pairs)
    }

    // MARK: Values

    func number(
        _ value: Int?, _ key: String, _ range: ClosedRange<Int>
    ) throws(TranslatorConfigurationError) -> Int? {
        guard let value else { return nil }
        guard range.contains(value) else {
            throw TranslatorConfigurationError(key, "\(value) is not from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    private func translationPrefix() throws(TranslatorConfigurationError) -> TranslationPrefix? {
        guard let text = file.prefix else { return nil }
        guard let network = IPPrefix(text), let prefix = TranslationPrefix(network) else {
            let lengths = TranslationPrefix.lengths.map(String.init).joined(separator: ", ")
            throw TranslatorConfigurationError(
                "prefix", "\(text) is no IPv6 network of length \(lengths) whose bits 64 to 71 are zero")
        }
        // Addresses of ::ffff:0:0/96 mean IPv4 to every socket; no packet has them.
        let mapped = IPPrefix(.v6(IPv6Address(rawValue: 0xFFFF_0000_0000)), length: 96)
        guard !(SpecialNetworks.untranslatedIPv6 + [mapped]).contains(where: network.overlaps) else {
            throw TranslatorConfigurationError(
                "prefix", "\(text) has addresses that no packet may go to; choose one of your own, or 64:ff9b::/96")
        }
        return prefix
    }

    /// The addresses of the pool, written one by one or as networks.
    private func addressPool() throws(TranslatorConfigurationError) -> [IPv4Address] {
        var pool: Set<IPv4Address> = []
        for (index, text) in (file.pool ?? []).enumerated() {
            let key = "pool[\(index)]"
            let network = try network(text, key)
            guard network.family == .ipv4, network.length >= 20 else {
                throw TranslatorConfigurationError(key, "\(text) is no IPv4 address, or network of at most 4,096")
            }
            try checkHosts(network, key)
            let first = UInt32(truncatingIfNeeded: network.address.bits)
            for offset in 0..<UInt32(1 << network.hostBits) { pool.insert(IPv4Address(rawValue: first + offset)) }
        }
        guard !pool.isEmpty else {
            throw TranslatorConfigurationError(
                "pool", "name at least one IPv4 address that stands for the clients; no host may have it")
        }
        guard pool.count <= 4096 else {
            throw TranslatorConfigurationError("pool", "there are more than 4,096 addresses")
        }
        return pool.sorted()
    }

    private func network(_ text: String, _ key: String) throws(TranslatorConfigurationError) -> IPPrefix {
        if let address = IPAddress(text) { return IPPrefix(address, length: address.family.bitWidth) }
        guard let network = IPPrefix(text) else {
            throw TranslatorConfigurationError(
                key, "\(text) is neither an address nor a network, which ends in zero bits")
        }
        return network
    }

    /// Refuses networks all of whose addresses are of a kind that packets are neither from nor to.
    private func checkHosts(_ network: IPPrefix, _ key: String) throws(TranslatorConfigurationError) {
        let special = network.family == .ipv4 ? SpecialNetworks.untranslated : SpecialNetworks.untranslatedIPv6
        guard !special.contains(where: { $0.contains(network) }) else {
            throw TranslatorConfigurationError(
                key, "\(network) is no host's: packets from and to multicast, loopback and the like are not translated")
        }
    }

    private func portRange() throws(TranslatorConfigurationError) -> ClosedRange<UInt16> {
        guard let text = file.ports else { return 1024...65_535 }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
        guard ends.count == 2, let first = ends[0], let last = ends[1], first <= last, first > 0 else {
            throw TranslatorConfigurationError("ports", "\(text) is no range of ports, such as 1024-65535")
        }
        return first...last
    }

    private func forwards(
        _ pool: [IPv4Address], _ prefix: TranslationPrefix
    ) throws(TranslatorConfigurationError) -> [PortForward] {
        var forwards: [PortForward] = []
        for (index, entry) in (file.forwards ?? []).enumerated() {
            let key = "forwards[\(index)]"
            let kind: SessionKind
            switch entry.protocol {
            case "tcp": kind = .tcp
            case "udp": kind = .udp
            default: throw TranslatorConfigurationError("\(key).protocol", "\(entry.protocol) is neither tcp nor udp")
            }
            guard let place = HostAndPort(entry.public), case .v4(let address) = place.address, place.port > 0 else {
                throw TranslatorConfigurationError(
                    "\(key).public", "\(entry.public) is no IPv4 address and port, such as 192.0.2.1:80")
            }
            guard pool.contains(address) else {
                throw TranslatorConfigurationError("\(key).public", "\(address) is not in the pool; add it there")
            }
            guard let host = HostAndPort(entry.client), case .v6(let client) = host.address, host.port > 0 else {
                throw TranslatorConfigurationError(
                    "\(key).client", "\(entry.client) is no IPv6 address and port, such as [2001:db8::10]:80")
            }
            try checkHosts(IPPrefix(host.address, length: 128), "\(key).client")
            guard !prefix.contains(client) else {
                throw TranslatorConfigurationError("\(key).client", "\(client) is in the prefix, where no client is")
            }
            let forward = PortForward(
                kind: kind, publicAddress: address, publicPort: place.port, client: client, clientPort: host.port)
            if let other = forwards.firstIndex(where: { $0.collides(with: forward) }) {
                throw TranslatorConfigurationError(
                    key, "forwards[\(other)] has the same public port, or the same client's")
            }
            forwards.append(forward)
        }
        return forwards
    }

    private func filtering() throws(TranslatorConfigurationError) -> SessionFiltering {
        switch file.filtering {
        case nil, "endpoint-independent": return .endpointIndependent
        case "address-dependent": return .addressDependent
        case let other?:
            throw TranslatorConfigurationError(
                "filtering", "\(other) is neither endpoint-independent nor address-dependent")
        }
    }

    private func denied() throws(TranslatorConfigurationError) -> [IPPrefix] {
        var networks: [IPPrefix] = []
        for (index, text) in (file.deny ?? []).enumerated() {
            let network = try network(text, "deny[\(index)]")
            guard network.family == .ipv4 else {
                throw TranslatorConfigurationError("deny[\(index)]", "\(text) is no IPv4 network")
            }
            networks.append(network)
        }
        return networks
    }

    private func timeouts() throws(TranslatorConfigurationError) -> SessionTimeouts {
        var timeouts = SessionTimeouts()
        // The wheel of time has 8,192 seconds.
        for (value, key, path) in [
            (file.timeouts?.udp, "udp", \SessionTimeouts.udp),
            (file.timeouts?.tcpEstablished, "tcpEstablished", \.tcpEstablished),
            (file.timeouts?.tcpTransitory, "tcpTransitory", \.tcpTransitory),
            (file.timeouts?.tcpIncomingOpen, "tcpIncomingOpen", \.tcpIncomingSYN),
            (file.timeouts?.icmp, "icmp", \.icmp), (file.timeouts?.fragment, "fragment", \.fragment),
        ] {
            guard let seconds = try number(value, "timeouts.\(key)", 1...8000) else { continue }
            timeouts[keyPath: path] = UInt32(seconds)
        }
        if let seconds = try number(file.timeouts?.portRest, "timeouts.portRest", 0...8000) {
            timeouts.portRest = UInt32(seconds)
        }
        return timeouts
    }

    /// The options, with addresses for ICMP errors where the file names none: without them nobody learns of a smaller MTU.
    private func options(
        ipv4 defaultAddress: IPv4Address, _ prefix: TranslationPrefix?
    ) throws(TranslatorConfigurationError) -> TranslationOptions {
        var options = TranslationOptions(
            ipv4Address: defaultAddress, ipv6Address: prefix?.embedding(defaultAddress),
            routerIPv4Address: defaultAddress)
        if let text = file.addresses?.ipv4 {
            guard let address = IPv4Address(text) else {
                throw TranslatorConfigurationError("addresses.ipv4", "\(text) is no IPv4 address")
            }
            try checkHosts(IPPrefix(.v4(address), length: 32), "addresses.ipv4")
            (options.ipv4Address, options.routerIPv4Address) = (address, address)
        }
        if let text = file.addresses?.ipv6 {
            guard let address = IPv6Address(text) else {
                throw TranslatorConfigurationError("addresses.ipv6", "\(text) is no IPv6 address")
            }
            try checkHosts(IPPrefix(.v6(address), length: 128), "addresses.ipv6")
            options.ipv6Address = address
        }
        options.ipv4MTU = try number(file.mtu?.ipv4, "mtu.ipv4", 68...65_535) ?? options.ipv4MTU
        options.ipv6MTU = try number(file.mtu?.ipv6, "mtu.ipv6", 1280...65_535) ?? options.ipv6MTU
        options.lowestIPv6MTU =
            try number(file.mtu?.lowestIPv6, "mtu.lowestIPv6", 1280...65_535) ?? options.lowestIPv6MTU
        options.makesUDPChecksums = file.makesUDPChecksums ?? true
        options.copiesTrafficClass = file.copiesTrafficClass ?? true
        options.repliesPerSecond =
            try number(file.limits?.errorsPerSecond, "limits.errorsPerSecond", 0...1_000_000)
            ?? options.repliesPerSecond
        return options
    }
}

extension PortForward {
    /// Whether two forwards cannot be at once.
    fileprivate func collides(with other: PortForward) -> Bool {
        guard kind == other.kind else { return false }
        return publicAddress == other.publicAddress && publicPort == other.publicPort
            || client == other.client && clientPort == other.clientPort
    }
}
