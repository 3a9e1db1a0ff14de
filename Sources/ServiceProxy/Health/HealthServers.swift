package import Addresses
package import Logging
internal import Synchronization

/// The servers of the health-check node ports of all Services, and the one of the proxy itself.
///
/// A balancer asks in either family, and is told of that family's endpoints.
package actor HealthServers {
    private struct Place: Hashable {
        let address: IPAddress
        let port: UInt16
    }

    private let health: ProxyHealth
    /// The port of `/healthz` and `/livez`; nil for none.
    private let ownPort: UInt16?
    private let logger: Logger
    private var listeners: [Place: HealthListener] = [:]
    /// Ports that others have, so that it is said once.
    private var refused: Set<Place> = []
    /// Is told of a Service whose health cannot be asked for, and why.
    private let report: @Sendable (ServiceName, ServiceWarning) -> Void
    /// What the servers answer, by family and port.
    private let checks = Checks()

    package init(
        health: ProxyHealth, ownPort: UInt16?, logger: Logger,
        report: @escaping @Sendable (ServiceName, ServiceWarning) -> Void = { _, _ in }
    ) {
        self.health = health
        self.report = report
        self.ownPort = ownPort
        self.logger = logger
    }

    /// Listens at the ports of `wanted`, at its own, and at no others; a port that another has is tried again at the
    /// next call.
    package func apply(_ wanted: [IPFamily: [UInt16: HealthCheck]], at addresses: [IPFamily: [IPAddress]]) async {
        checks.replace(wanted)
        var places: Set<Place> = []
        if let ownPort {
            for family in wanted.keys {
                places.insert(Place(address: IPAddress(family: family, bits: 0), port: ownPort))
            }
        }
        for (family, checks) in wanted {
            for port in checks.keys {
                for address in addresses[family] ?? [] { places.insert(Place(address: address, port: port)) }
            }
        }
        for (place, listener) in listeners where !places.contains(place) {
            listeners[place] = nil
            await listener.close()
        }
        refused.formIntersection(places)
        for place in places where listeners[place] == nil { await listen(at: place) }
    }

    /// Whether there are ports that others had when they were tried.
    package var lackPorts: Bool { !refused.isEmpty }

    private func listen(at place: Place) async {
        let family = place.address.family
        do {
            listeners[place] = try await HealthListener(place.address, port: place.port) {
                [checks, health, ownPort] path in
                guard place.port == ownPort else {
                    return checks[family, place.port]?.answer(proxyIsHealthy: health.isHealthy)
                }
                return switch path {
                case "/healthz": health.answer(countsNode: true)
                case "/livez": health.answer(countsNode: false)
                case "/metrics": HealthAnswer(metrics: health.metrics)
                default: nil
                }
            }
            refused.remove(place)
        } catch {
            guard refused.insert(place).inserted else { return }
            if let service = checks[family, place.port]?.service {
                let message = "health checks at \(place.address) port \(place.port) cannot be answered: \(error)"
                // The word that kube-proxy has for it.
                report(service, ServiceWarning(reason: "FailedToStartServiceHealthcheck", message: message))
            }
            logger.error(
                "health checks cannot be answered: free the port, or use another",
                metadata: [
                    "service": "\(checks[family, place.port].map { "\($0.service)" } ?? "the proxy itself")",
                    "address": "\(place.address)", "port": "\(place.port)", "error": "\(error)",
                ])
        }
    }

    /// Ends all of them.
    package func close() async {
        for listener in listeners.values { await listener.close() }
        listeners = [:]
    }

    private final class Checks: Sendable {
        private let content = Mutex<[IPFamily: [UInt16: HealthCheck]]>([:])

        func replace(_ checks: [IPFamily: [UInt16: HealthCheck]]) {
            content.withLock { $0 = checks }
        }

        subscript(family: IPFamily, port: UInt16) -> HealthCheck? {
            content.withLock { $0[family]?[port] }
        }
    }
}
