import Addresses
import BPF
import Logging
import Netlink
import PodTranslation
import RouteNetlink
import Translation

/// The kernel's translation at the links of hosts with an IPv4 address of their own, in front of the device.
///
/// It is left behind when the process is killed, so that packets go on; one that starts anew takes over, and one that ends in
/// order takes it away.
final class KernelPath: Sendable {
    private let translator: PodTranslator
    private let links: [String]
    private let pairs: [(ipv4: IPv4Address, ipv6: IPv6Address)]

    /// Loads the programs; nil where the configuration names no link.
    ///
    /// - Parameter device: the number of the device that packets are given to which the programs do not translate.
    init?(_ configuration: TranslatorConfiguration, device: Int32) throws(BPFError) {
        guard !configuration.links.isEmpty, case .stateless(let mapper, let options, let pairs) = configuration.mode,
            let prefix = mapper.prefix
        else { return nil }
        links = configuration.links
        self.pairs = pairs.compactMap { pair in
            guard pair.ipv4.length == 32, pair.ipv6.length == 128, case .v4(let ipv4) = pair.ipv4.address,
                case .v6(let ipv6) = pair.ipv6.address
            else { return nil }
            return (ipv4, ipv6)
        }
        // What is refused is left to the device, which counts and tells why.
        let denied = SpecialNetworks.untranslated + (mapper.embedsNonGlobal ? [] : SpecialNetworks.nonGlobal)
        translator = try PodTranslator(
            prefix: prefix, denied: denied, lowestIPv6MTU: min(options.lowestIPv6MTU, options.ipv6MTU),
            copiesTrafficClass: options.copiesTrafficClass, slowLink: device)
        for (ipv4, ipv6) in self.pairs { try translator.set(ipv4, for: ipv6) }
    }

    /// What the programs have done.
    func counters() throws(BPFError) -> PodTranslationCounters { try translator.counters() }

    /// Puts the programs on the links, and the routes to the hosts' IPv4 addresses to where their IPv6 addresses lead.
    ///
    /// - Returns: what had to be done.
    func ensure() throws(NetlinkError) -> [String] {
        var socket = try RouteSocket()
        var changes: [String] = []
        var numbers: [Int32: Link] = [:]
        for name in links {
            // A link that is not there yet is looked for again.
            guard let link = try socket.link(named: name) else { continue }
            numbers[link.index] = link
            if try translator.ensureAttached(to: link.index, &socket) { changes.append("programs at \(name)") }
        }
        let routes = try socket.routes(.ipv4, table: Route.mainTable, protocol: .duetTranslation)
        for (ipv4, ipv6) in pairs {
            guard let way = try socket.route(to: .v6(ipv6)), let index = way.interface, let link = numbers[index] else {
                continue
            }
            let wanted = PodTranslator.route(to: ipv4, by: way.gateway ?? .v6(ipv6), through: link)
            guard !routes.contains(where: { $0.leads(as: wanted) }) else { continue }
            try socket.replaceRoute(wanted)
            changes.append("route \(wanted)")
        }
        return changes
    }

    /// Takes the programs and routes away.
    func remove() throws(NetlinkError) {
        var socket = try RouteSocket()
        for name in links {
            if let link = try socket.link(named: name) { try PodTranslator.detach(from: link.index, &socket) }
        }
        let own = Set(pairs.map { IPPrefix(.v4($0.ipv4), length: 32) })
        for route in try socket.routes(.ipv4, table: Route.mainTable, protocol: .duetTranslation)
        where own.contains(route.destination) && route.gateway?.family == .ipv6 {
            try socket.deleteRoute(route)
        }
    }
}
