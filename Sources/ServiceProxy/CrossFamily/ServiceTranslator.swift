internal import Addresses
internal import Glibc
internal import Linux
internal import Logging
internal import Synchronization
internal import Translation
internal import TranslationEngine

/// Translates packets between callers of Services and endpoints of the other family.
///
/// It knows which address stands for which, and nothing of connections; so the next one goes on where one has ended.
final class ServiceTranslator {
    let addresses: TranslationAddresses
    let engine: TranslationEngine<StatelessTranslator>
    private let device: TranslationDevice
    private let mtu: Int
    private var pairs: [IPAddress: IPAddress] = [:]
    private let ending = Ending()

    /// Threads, and queues of the link: Services leave processors to others.
    private static var queues: Int { min(max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))), 4) }

    /// Whether a thread has ended by itself, as all do when someone deletes the link.
    private final class Ending: Sendable {
        let hasEnded = Atomic<Bool>(false)
    }

    /// Starts in the network namespace of the calling thread, on the link that an earlier one has left, where there is one.
    init(_ addresses: TranslationAddresses, _ pairs: [IPAddress: IPAddress], logger: Logger) throws {
        self.addresses = addresses
        self.pairs = pairs
        device = TranslationDevice(addresses: addresses)
        mtu = try TranslationDevice.mtu()
        var options = TranslationOptions(ipv4MTU: mtu, ipv6MTU: mtu)
        if case .v4(let address) = addresses.own(.ipv4) {
            options.ipv4Address = address
            // Routers have no IPv4 address; what they say is said by the node (RFC 6791).
            options.routerIPv4Address = address
        }
        if case .v6(let address) = addresses.own(.ipv6) { options.ipv6Address = address }
        engine = try TranslationEngine(
            device: TranslationDevice.name, queues: Self.queues,
            mapper: Self.mapper(addresses, pairs), options: options, isPersistent: true)
        _ = try device.ensure(mtu: mtu)
        try engine.start { [ending] error in
            logger.error("Services are not translated between families any more", metadata: ["error": "\(error)"])
            ending.hasEnded.store(true, ordering: .sequentiallyConsistent)
        }
    }

    deinit { engine.stop() }

    /// Whether it has to be replaced by another one.
    var hasEnded: Bool { ending.hasEnded.load(ordering: .sequentiallyConsistent) }

    /// Takes the endpoint behind each stand-in.
    /// - Complexity: O(n) in their number to find what has changed.
    func set(_ pairs: [IPAddress: IPAddress]) {
        let (gone, new) = (
            self.pairs.filter { pairs[$0.key] != $0.value }, pairs.filter { self.pairs[$0.key] != $0.value }
        )
        guard !gone.isEmpty || !new.isEmpty else { return }
        self.pairs = pairs
        engine.changeMapper { mapper in
            for case (.v4(let standIn), .v6(let endpoint)) in gone { mapper.removeHost(standIn, endpoint) }
            for case (.v4(let standIn), .v6(let endpoint)) in new { mapper.setHost(standIn, endpoint) }
        }
    }

    /// Repairs the link, and says what had to be done.
    func ensure() throws -> [String] { try device.ensure(mtu: mtu) }

    private static func mapper(_ addresses: TranslationAddresses, _ pairs: [IPAddress: IPAddress]) -> AddressMapper {
        let all = pairs.merging([addresses.caller: addresses.own(.ipv6)]) { $1 }
        let mappings = all.compactMap { standIn, endpoint in
            ExplicitAddressMapping(
                ipv4: IPPrefix(standIn, length: standIn.family.bitWidth),
                ipv6: IPPrefix(endpoint, length: endpoint.family.bitWidth))
        }
        return AddressMapper(explicit: mappings, prefix: addresses.prefix)
    }
}
