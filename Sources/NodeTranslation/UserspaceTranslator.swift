internal import Addresses
internal import Linux
internal import PodRouting
internal import PodTranslation
internal import Synchronization
internal import Translation
internal import TranslationEngine

/// The translator in userspace, on a device of its own that ends with the process.
///
/// It has no sessions either: each pod has its private address, whichever way its packets go.
final class UserspaceTranslator: Sendable {
    /// The name of the device.
    static let deviceName = MasqueradePlan.translatorLinkName

    /// The device's own address, one of those for nodes that reach IPv4 by translation (RFC 7335): without any the kernel
    /// takes no packets from a device that their source is not routed to.
    static let ownAddress = IPv4Address(rawValue: 0xC000_0007)

    /// The number of the device.
    let link: Int32
    private let device: TranslatorDevice
    private let engine: TranslationEngine<StatelessTranslator>
    private let failure = Failure()
    /// The pods that the engine knows, by their private addresses.
    private let known = Mutex<[IPv6Address: IPv4Address]>([:])

    private final class Failure: Sendable {
        let error = Mutex<SystemError?>(nil)
    }

    /// The most threads: they share the machine with pods, and the kernel does most.
    private static let maximumQueues = 4

    /// Makes the device and starts the threads.
    ///
    /// - Parameters:
    ///   - own: the address that ICMP errors of the translator come from.
    ///   - processors: how many there are.
    init(_ options: NodeTranslationOptions, own: IPv4Address, processors: Int) throws {
        let prefix = options.prefix
        let choices = TranslationOptions(
            ipv4Address: own, ipv6Address: prefix.embedding(own), routerIPv4Address: own)
        let device = TranslatorDevice(
            name: Self.deviceName, mtu: [.ipv4: choices.ipv4MTU, .ipv6: choices.ipv6MTU],
            addresses: [.v4(Self.ownAddress)], routes: [options.podRange, prefix.prefix])
        // A queue on a device that another process has would take packets away from it.
        guard try !device.exists() else {
            throw SystemError(.exists, "make device", "\(device.name): another agent runs on this node, or left it")
        }
        let engine = try TranslationEngine<StatelessTranslator>(
            device: device.name, queues: min(max(processors, 1), Self.maximumQueues),
            // What is refused is refused behind the translator, by rules that the kernel's way leads through as well.
            mapper: AddressMapper(prefix: prefix, embedsNonGlobal: true, leadsBack: false), options: choices)
        (self.device, self.engine) = (device, engine)
        do {
            link = try device.ensure()
            try engine.start { [failure] error in failure.error.withLock { $0 = error } }
        } catch {
            engine.stop()
            throw error
        }
    }

    deinit { engine.stop() }

    /// Why a thread has ended; nil while all run.
    var error: SystemError? { failure.error.withLock { $0 } }

    /// Takes pods as they were and as they are.
    func change(_ pods: [(old: TranslatedPod?, new: TranslatedPod?)]) {
        known.withLock { known in
            engine.changeMapper { mapper in
                for (old, new) in pods where old?.translated != new?.translated {
                    if let old, let address = old.translated { mapper.removeHost(address, old.ipv6) }
                    if let new, let address = new.translated { mapper.setHost(address, new.ipv6) }
                }
            }
            for (old, new) in pods {
                if let old { known[old.ipv6] = nil }
                if let new { known[new.ipv6] = new.translated }
            }
        }
    }

    /// Lets the engine know these pods and no others; false when it did.
    func audit(_ pods: [IPv6Address: IPv4Address]) -> Bool {
        known.withLock { known in
            guard known != pods else { return false }
            let (gone, new) = (known.filter { pods[$0.key] != $0.value }, pods.filter { known[$0.key] != $0.value })
            engine.changeMapper { mapper in
                for (pod, address) in gone { mapper.removeHost(address, pod) }
                for (pod, address) in new { mapper.setHost(address, pod) }
            }
            known = pods
            return true
        }
    }

    /// Repairs the device, and says what had to be done.
    func repair() throws -> [String] { try device.repair() }

    /// What has become of the packets.
    var counters: TranslationCounters { engine.counters }

    /// The packets that the device did not take.
    var writeFailures: UInt64 { engine.writeFailures }
}
