public import Addresses
import PodTranslation
public import Translation

/// What a stand-alone translator runs with.
public struct TranslatorConfiguration: Sendable {
    /// How packets are translated.
    public enum Mode: Sendable {
        /// Clients share public addresses.
        case stateful(NAT64Configuration)
        /// Each address stands for one of the other family.
        case stateless(AddressMapper, TranslationOptions, [ExplicitAddressMapping])
    }

    /// How packets are translated.
    public var mode: Mode
    /// The name of the TUN device.
    public var device: String
    /// The queues of the device, each with a thread of its own.
    public var queues: Int
    /// The links at which the kernel translates what it can, in front of the device.
    public var links: [String]
    /// The links whose hosts are told the prefix by Router Advertisements, and what they are told.
    package var announcements: (links: [String], announcement: PrefixAnnouncement)?
    /// The path of the socket that commands ask at.
    public var control: String
    /// The host and port that metrics are served at; nil for none but the socket's.
    public var metrics: (host: String, port: Int)?

    /// The choices of the translation itself.
    public var options: TranslationOptions {
        switch mode {
        case .stateful(let configuration): configuration.options
        case .stateless(_, let options, _): options
        }
    }

    /// What IPv4 addresses are embedded in.
    var prefix: TranslationPrefix? {
        switch mode {
        case .stateful(let configuration): configuration.prefix
        case .stateless(let mapper, _, _): mapper.prefix
        }
    }

    /// What is to be routed into the device.
    public var routes: [IPPrefix] {
        switch mode {
        case .stateful(let configuration):
            [configuration.prefix.prefix] + configuration.pool.map { IPPrefix(.v4($0), length: 32) }
        case .stateless(let mapper, _, let pairs):
            (mapper.prefix.map { [$0.prefix] } ?? []) + pairs.map(\.ipv4)
        }
    }

    /// The translator's own addresses.
    public var ownAddresses: [IPAddress] {
        let options = options
        return (options.ipv4Address.map { [.v4($0)] } ?? []) + (options.ipv6Address.map { [.v6($0)] } ?? [])
    }

    /// What the kernel has to know of the device.
    var network: TranslatorDevice {
        TranslatorDevice(
            name: device, mtu: [.ipv4: options.ipv4MTU, .ipv6: options.ipv6MTU], addresses: ownAddresses,
            routes: routes)
    }

    /// Where the socket is unless the file says otherwise.
    public static let defaultControl = "/run/duet/nat64.sock"

    /// Reads a configuration file.
    ///
    /// - Parameters:
    ///   - secret: from which hashes and ports are drawn.
    ///   - processors: the queues there are unless the file says how many.
    public init(
        parsing text: String, secret: UInt64, processors: Int
    ) throws(TranslatorConfigurationError) {
        let file = try TranslatorFile.parse(text)
        let reader = TranslatorFileReader(file: file)
        device = file.device ?? "nat64"
        links = file.links ?? []
        try reader.checkNames(device: device)
        queues = try reader.number(file.queues, "queues", 1...64) ?? min(max(processors, 1), 64)
        control = file.control ?? TranslatorConfiguration.defaultControl
        // sun_path has 108 bytes, the last of them zero.
        guard control.hasPrefix("/"), !control.hasSuffix("/"), control.utf8.count < 108 else {
            throw TranslatorConfigurationError("control", "\(control) is no absolute path of at most 107 bytes")
        }
        metrics = try file.metrics.map { text throws(TranslatorConfigurationError) in
            guard let place = HostAndPort(text), place.port > 0 else {
                throw TranslatorConfigurationError(
                    "metrics", "\(text) is no address and port, such as 127.0.0.1:9464 or [::1]:9464")
            }
            return (place.address.description, Int(place.port))
        }
        mode =
            switch file.mode ?? (file.pool == nil && file.map != nil ? "stateless" : "stateful") {
            case "stateful": .stateful(try reader.stateful(secret))
            case "stateless": try reader.stateless()
            case let other: throw TranslatorConfigurationError("mode", "\(other) is neither stateful nor stateless")
            }
        try checkLinks()
        announcements = try file.announce.map { entry throws(TranslatorConfigurationError) in
            guard let prefix else {
                throw TranslatorConfigurationError("announce", "there is no prefix to announce; set prefix")
            }
            // The longest lifetime of RFC 4861 §6.2.1.
            let lifetime = try reader.number(entry.routerLifetime, "announce.routerLifetime", 0...9000) ?? 0
            return (entry.links, PrefixAnnouncement(prefix: prefix, routerLifetime: UInt16(lifetime)))
        }
        if case .stateful(let configuration) = mode, queues > configuration.ports.count {
            throw TranslatorConfigurationError("queues", "there are more queues than ports")
        }
    }
}

extension TranslatorConfiguration {
    /// The kernel's programs know pairs of addresses, and a prefix of the usual length.
    private func checkLinks() throws(TranslatorConfigurationError) {
        guard !links.isEmpty else { return }
        guard case .stateless(let mapper, _, let pairs) = mode, !pairs.isEmpty else {
            throw TranslatorConfigurationError(
                "links", "the kernel translates pairs of addresses: it needs mode: stateless, and a map")
        }
        guard mapper.prefix?.length == 96 else {
            throw TranslatorConfigurationError("links", "the kernel translates with a prefix of length 96; set prefix")
        }
    }
}

/// An address and a port, such as `192.0.2.1:80` and `[2001:db8::1]:80`.
struct HostAndPort: Hashable {
    let address: IPAddress
    let port: UInt16

    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = text[..<colon]
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        if isBracketed { host = host.dropFirst().dropLast() }
        guard let address = IPAddress(String(host)), isBracketed == (address.family == .ipv6) else { return nil }
        self.address = address
        self.port = port
    }
}
