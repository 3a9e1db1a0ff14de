internal import KubernetesAPI
internal import KubernetesClient
internal import Synchronization

/// Tells the authors of Services what does not work as they may think, by an event each time that it begins.
final class ServiceReporter: Sendable {
    private let events: EventRecorder
    /// Whether a Service is translated between families.
    private let isTranslated: @Sendable (Service) -> Bool
    /// The Service of a name, as it was seen last.
    private let lookup: @Sendable (ServiceName) -> Service?
    /// What was said and still holds, of Services of which anything was said.
    private let state = Mutex<[ServiceName: Set<ServiceWarning>]>([:])

    init(
        events: EventRecorder, isTranslated: @escaping @Sendable (Service) -> Bool,
        lookup: @escaping @Sendable (ServiceName) -> Service?
    ) {
        self.events = events
        self.isTranslated = isTranslated
        self.lookup = lookup
    }

    /// Looks at a Service that is new or has changed.
    func review(_ service: Service) {
        let warnings = ServiceWarning.warnings(of: service, isTranslated: isTranslated(service))
        let name = ServiceName(service.metadata)
        let fresh = state.withLock { said in
            let old = said.updateValue(warnings, forKey: name) ?? []
            if warnings.isEmpty { said[name] = nil }
            return warnings.subtracting(old)
        }
        for warning in fresh { record(warning, of: service) }
    }

    /// Forgets what was said of a Service that is gone.
    func forget(_ service: Service) {
        state.withLock { $0[ServiceName(service.metadata)] = nil }
    }

    /// Says something that the object alone does not show; the caller says it once.
    func report(_ name: ServiceName, _ warning: ServiceWarning) {
        if let service = lookup(name) { record(warning, of: service) }
    }

    private func record(_ warning: ServiceWarning, of service: Service) {
        events.record(service.reference, reason: warning.reason, message: warning.message, isWarning: true)
    }
}
