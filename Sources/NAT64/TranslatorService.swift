import Addresses
import BPF
import Linux
public import Logging
import Netlink
import PodTranslation
public import ServiceLifecycle
import Translation
import TranslationEngine

/// Runs a translator on this machine until it is told to end.
///
/// The device, and with it addresses and routes, goes away when it ends, however that happens.
public final class TranslatorService: Service {
    private let configuration: TranslatorConfiguration
    private let logger: Logger

    /// How often the device's addresses and routes are looked at.
    private static let audit = Duration.seconds(5)

    /// Makes the service.
    public init(configuration: TranslatorConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    /// Translates until the task is cancelled or the process shuts down.
    public func run() async throws {
        let network = configuration.network
        // A queue on a device that another process has would take packets away from it.
        guard try !network.exists() else {
            throw TranslatorConfigurationError(
                "device", "there is a link \(network.name) already; end what has made it, or choose another name")
        }
        try TranslatorServer.makeRoom(for: configuration.control)
        let engine = try engine()
        defer { engine.stop() }
        let device = try Self.make(network)
        let kernel = try kernelPath(device)
        _ = try kernel?.ensure()
        defer {
            do {
                try kernel?.remove()
            } catch {
                logger.error("cannot take the programs from the links", metadata: ["error": "\(error)"])
            }
        }
        let (ends, ended) = AsyncStream.makeStream(of: SystemError.self)
        try engine.start { ended.yield($0) }
        for (family, sysctl) in network.unforwardedFamilies() {
            logger.warning(
                "the kernel passes no \(family) packets on; set it unless this machine is the only client",
                metadata: ["sysctl": "\(sysctl)=1"])
        }
        for warning in configuration.warnings { logger.warning("\(warning)") }
        if case .stateful = configuration.mode, engine.usage.maximumSessions == 0 {
            logger.error("no memory for the tables: every session is refused; lower limits.sessions")
        }
        let routes = configuration.routes
        let more = routes.count > 8 ? ["and \(routes.count - 8) more"] : []
        logger.info(
            "translating",
            metadata: [
                "device": "\(configuration.device)", "queues": "\(configuration.queues)",
                "routes": "\((routes.prefix(8).map(\.description) + more).joined(separator: " "))",
            ])
        try await cancelWhenGracefulShutdown { [configuration, logger] in
            try await withThrowingTaskGroup(of: Void.self) { group in
                let answers = TranslatorResponder(engine: engine, kernel: kernel, configuration: configuration)
                group.addTask { try await TranslatorServer.control(configuration.control, answers, logger) }
                if let (host, port) = configuration.metrics {
                    group.addTask { try await TranslatorServer.metrics(host, port, answers, logger) }
                }
                group.addTask { try await Self.keep(network, kernel, logger) }
                if let (links, announcement) = configuration.announcements {
                    for link in links {
                        let announcer = PrefixAnnouncer(link: link, announcement: announcement, logger: logger)
                        group.addTask { await announcer.run() }
                    }
                }
                group.addTask { for await error in ends { throw error } }
                try await group.next()
                group.cancelAll()
            }
        }
    }

    private func engine() throws(TranslatorConfigurationError) -> any RunningTranslator {
        do throws(SystemError) {
            switch configuration.mode {
            case .stateful(let nat64):
                return try TranslationEngine<NAT64>(device: configuration.device, queues: configuration.queues, nat64)
            case .stateless(let mapper, let options, _):
                return try TranslationEngine<StatelessTranslator>(
                    device: configuration.device, queues: configuration.queues, mapper: mapper, options: options)
            }
        } catch {
            throw TranslatorConfigurationError(
                "device", "\(error); it takes CAP_NET_ADMIN, and /dev/net/tun of the kernel's module tun")
        }
    }

    private static func make(_ network: TranslatorDevice) throws -> Int32 {
        do throws(NetlinkError) {
            return try network.ensure()
        } catch {
            guard error.errno == .exists else { throw error }
            throw TranslatorConfigurationError(
                "", "\(error); another link has this route: end what has made it, or choose other addresses")
        }
    }

    private func kernelPath(_ device: Int32) throws(TranslatorConfigurationError) -> KernelPath? {
        do throws(BPFError) {
            return try KernelPath(configuration, device: device)
        } catch {
            throw TranslatorConfigurationError(
                "links",
                "\(error); programs take CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN: without links the device translates")
        }
    }

    /// Repairs what others take away.
    private static func keep(_ network: TranslatorDevice, _ kernel: KernelPath?, _ logger: Logger) async throws {
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: audit)
            } catch {
                return
            }
            do {
                let changes = try network.repair() + (try kernel?.ensure() ?? [])
                if !changes.isEmpty {
                    logger.warning("repaired the device", metadata: ["changes": "\(changes.joined(separator: ", "))"])
                }
            } catch {
                logger.error("cannot repair the device", metadata: ["error": "\(error)"])
            }
        }
    }
}
