import KubernetesAPI
import KubernetesClient
import Synchronization

/// Writes a controller's slices, and knows which of its writes the cache must show before the next plan is made from it.
final class SliceWriter: Sendable {
    private struct Expectation {
        var versions: [ObjectKey: UInt64] = [:]
        var expiry: ContinuousClock.Instant
    }

    private let client: KubernetesClient
    private let expectations = Mutex<[ObjectKey: Expectation]>([:])
    private static let patience = Duration.seconds(5)

    init(client: KubernetesClient) {
        self.client = client
    }

    /// Makes the changes that were planned for a Service.
    func write(
        create: [EndpointSlice] = [], update: [EndpointSlice] = [], delete: [EndpointSlice], for service: ObjectKey
    ) async throws {
        do {
            for slice in create {
                expect(try await client.create(slice), for: service)
            }
        } catch let error as StatusError where error.isNamespaceTerminating {
            // The Service goes as well.
        }
        for slice in update {
            expect(try await client.update(slice), for: service)
        }
        for slice in delete where !slice.isBeingDeleted {
            do {
                try await client.delete(
                    EndpointSlice.self, namespace: slice.namespace, name: slice.name,
                    uidPrecondition: slice.metadata.uid)
            } catch let error as StatusError where error.code == 404 {
                // Gone already.
            }
        }
    }

    /// Notes a slice as the server returned it.
    private func expect(_ slice: EndpointSlice, for service: ObjectKey) {
        expectations.withLock { expectations in
            expectations[service, default: Expectation(expiry: .now)].versions[slice.key] = slice.version
            expectations[service]?.expiry = .now + Self.patience
        }
    }

    /// Forgets what was written for a Service.
    func forget(_ service: ObjectKey) {
        expectations.withLock { _ = $0.removeValue(forKey: service) }
    }

    /// How long to wait at most for the cache, whose progress comes as events of the slices; nil when it has caught up.
    func patience(for service: ObjectKey, _ store: InformerStore<EndpointSlice>) -> Duration? {
        guard let expectation = expectations.withLock({ $0[service] }) else { return nil }
        let now = ContinuousClock.now
        let isMet = expectation.versions.allSatisfy { key, version in (store.get(key)?.version ?? 0) >= version }
        guard !isMet, expectation.expiry > now else {
            forget(service)
            return nil
        }
        return now.duration(to: expectation.expiry)
    }
}

extension EndpointSlice {
    /// True when the label names this manager.
    func isManaged(by manager: String) -> Bool {
        metadata.labels?[WellKnownLabel.sliceManagedBy] == manager
    }

    /// The ports in a form that compares equal however absent defaults were written.
    var portKey: [EndpointPort] {
        (ports ?? []).map {
            EndpointPort(
                name: $0.name ?? "", port: $0.port, protocol: $0.protocol ?? "TCP", appProtocol: $0.appProtocol)
        }
    }
}

extension InformerEvent<EndpointSlice> {
    /// The Services whose slices a manager keeps, or kept until this change.
    func services(managedBy manager: String) -> Set<ObjectKey> {
        Set([previous, object].compactMap { $0 }.filter { $0.isManaged(by: manager) }.compactMap(\.serviceKey))
    }
}
