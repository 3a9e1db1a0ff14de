package import KubernetesAPI

/// What a probe is for.
package enum ProbeKind: String, Sendable, Hashable, CaseIterable {
    /// Whether the container shall receive traffic.
    case readiness = "Readiness"
    /// Whether the container must be restarted.
    case liveness = "Liveness"
    /// Whether the container has started, before which the other probes wait.
    case startup = "Startup"

    /// The probe of this kind in a container's specification.
    package func probe(of container: Container) -> Probe? {
        switch self {
        case .readiness: container.readinessProbe
        case .liveness: container.livenessProbe
        case .startup: container.startupProbe
        }
    }
}

/// A probe of one running instance.
package struct ProbeKey: Sendable, Hashable {
    /// The instance's id.
    package var containerID: String
    /// The container's name.
    package var container: String
    /// What the probe is for.
    package var kind: ProbeKind

    /// Creates a key.
    package init(containerID: String, container: String, kind: ProbeKind) {
        self.containerID = containerID
        self.container = container
        self.kind = kind
    }
}

/// Turns single results into a verdict that changes only after enough equal results in a row.
package struct ProbeTracker: Sendable, Hashable {
    /// The verdict.
    package private(set) var passes: Bool
    /// True once a threshold was reached.
    package private(set) var isDecided = false
    private var last: Bool?
    private var run = 0

    /// Creates a tracker whose verdict is `passes` until results say otherwise.
    package init(passes: Bool) {
        self.passes = passes
    }

    /// Counts one result against the thresholds of the probe.
    package mutating func record(_ success: Bool, for probe: Probe) {
        run = last == success ? run + 1 : 1
        last = success
        let threshold = max(1, success ? probe.successThreshold ?? 1 : probe.failureThreshold ?? 3)
        guard run >= threshold else { return }
        passes = success
        isDecided = true
    }
}
