package import Addresses
package import KubernetesAPI

/// Decides what to do next for one pod.
///
/// Pure: observations, results and the time come in, actions and the status go out. The caller performs every action
/// that ``actions(at:)`` returns and reports its end with ``finished(_:_:at:)`` and an observation made after it.
package struct PodStateMachine: Sendable {
    /// The pod as the API server has it.
    package private(set) var pod: Pod
    /// Addresses of the node, primary first.
    let nodeAddresses: [IPAddress]
    /// What the runtime had last.
    var runtime = RuntimePod()
    /// True once the runtime was looked at.
    var isObserved = false
    /// What actions under way work on.
    var busy: Set<PodAction.Target> = []
    /// The end of the pod, once reached.
    var finalPhase: String?
    /// When the node took the pod over.
    let startTime: Timestamp
    /// True when the object is gone from the API.
    private(set) var isForgotten = false
    /// When the pod must be gone, once its end was asked for.
    private(set) var deadline: Timestamp?

    var volumes = RetryState(backoff: Backoff(initial: 1, maximum: 16))
    var sandbox = RetryState(backoff: Backoff(initial: 1, maximum: 30))
    /// Failures to end or remove something.
    var removals: [PodAction.Target: RetryState] = [:]
    var containers: [String: ContainerMemory] = [:]
    var probes: [ProbeKey: ProbeTracker] = [:]
    /// Addresses of the last sandbox that had any.
    var addresses: [IPAddress] = []
    /// Conditions as last computed, for their times of transition.
    var conditions: [Condition]
    /// True when all work for a deleted pod is done.
    package internal(set) var isGone = false

    /// Takes over a pod, which may be running from an earlier life of the node process.
    package init(pod: Pod, nodeAddresses: [IPAddress], now: Timestamp) {
        self.pod = pod
        self.nodeAddresses = nodeAddresses
        let status = pod.status
        startTime = status?.startTime.flatMap { Timestamp($0) } ?? now
        conditions = status?.conditions ?? []
        addresses = pod.addresses.compactMap { IPAddress($0) }
        finalPhase = pod.isFinished ? status?.phase : nil
        for old in status?.allContainerStatuses ?? [] {
            var memory = ContainerMemory()
            memory.attempts = old.containerID == nil ? 0 : old.restartCount + 1
            memory.lastStatus = old
            memory.hasRun = old.containerID != nil
            containers[old.name] = memory
        }
        noteDeletion(at: now)
    }

    /// Takes over a newer version of the object.
    package mutating func update(_ pod: Pod, at now: Timestamp) {
        self.pod = pod
        adoptForeignConditions()
        noteDeletion(at: now)
    }

    /// Notes that the object is gone from the API: the pod ends, and nothing is left to delete there.
    package mutating func forget(at now: Timestamp) {
        isForgotten = true
        noteDeletion(at: now)
    }

    private mutating func noteDeletion(at now: Timestamp) {
        guard isForgotten || pod.isBeingDeleted else { return }
        let granted = pod.metadata.deletionGracePeriodSeconds ?? pod.spec?.terminationGracePeriodSeconds ?? 30
        let due = now.advanced(bySeconds: Int64(max(1, granted)))
        deadline = deadline.map { min($0, due) } ?? due
    }

    /// True when the pod must end.
    package var isEnding: Bool { deadline != nil }

    /// Takes in what the runtime has now.
    package mutating func observe(_ runtime: RuntimePod, at now: Timestamp) {
        self.runtime = runtime
        isObserved = true
        if let current = runtime.sandboxes.first, current.isReady {
            addresses = podAddresses(current.addresses)
        }
        for name in spec.allContainers.map(\.name) {
            let instances = runtime.instances(of: name)
            guard let latest = instances.first else { continue }
            var memory = containers[name] ?? ContainerMemory()
            memory.attempts = max(memory.attempts, latest.attempt + 1)
            memory.hasRun = memory.hasRun || latest.state != .created
            if latest.hasEnded {
                memory.schedule.ended(latest, at: now)
            }
            if let previous = instances.dropFirst().first(where: \.hasEnded) {
                memory.previous = previous
            }
            containers[name] = memory
        }
        let living = Set(runtime.containers.filter { $0.state == .running }.map(\.id))
        probes = probes.filter { living.contains($0.key.containerID) }
        for container in spec.containers {
            guard let instance = runningInstance(of: container.name) else { continue }
            adopt(instance, container)
        }
    }

    /// Starts the trackers of an instance; an instance that the status already tells of keeps its verdicts.
    private mutating func adopt(_ instance: RuntimeContainer, _ container: Container) {
        let old = containers[container.name]?.lastStatus
        let isKnown = old?.containerID?.hasSuffix("//\(instance.id)") ?? false
        for kind in ProbeKind.allCases where kind.probe(of: container) != nil {
            let key = ProbeKey(containerID: instance.id, container: container.name, kind: kind)
            guard probes[key] == nil else { continue }
            let passes =
                switch kind {
                case .readiness: isKnown && old?.ready == true
                case .startup: isKnown && old?.started == true
                case .liveness: true
                }
            probes[key] = ProbeTracker(passes: passes)
        }
    }

    /// Takes in the end of an action; an observation made after that end must follow before the next decision.
    package mutating func finished(
        _ action: PodAction, _ result: Result<Void, PodActionFailure>, at now: Timestamp
    ) {
        busy.remove(action.target)
        switch (action, result) {
        case (.prepareVolumes, .success):
            volumes.succeed()
        case (.prepareVolumes, .failure(let failure)):
            volumes.fail(failure, at: now)
        case (.createSandbox, .success):
            sandbox.succeed()
        case (.createSandbox, .failure(let failure)):
            sandbox.fail(failure, at: now)
        case (.startContainer(let name, let attempt, _), .success):
            containers[name, default: ContainerMemory()].attempts = attempt + 1
            containers[name]?.start.succeed()
        case (.startContainer(let name, _, _), .failure(let failure)):
            containers[name, default: ContainerMemory()].start.fail(failure, at: now)
        case (_, .success):
            removals[action.target] = nil
            if case .finishDeletion = action { isGone = true }
        case (_, .failure(let failure)):
            let fresh = RetryState(backoff: Backoff(initial: 1, maximum: 30))
            removals[action.target, default: fresh].fail(failure, at: now)
        }
    }

    /// Takes in one result of a probe.
    package mutating func probed(_ key: ProbeKey, success: Bool) {
        guard let container = spec.containers.first(where: { $0.name == key.container }),
            let probe = key.kind.probe(of: container)
        else { return }
        probes[key]?.record(success, for: probe)
    }

    /// The probes that shall run now.
    package var activeProbes: [ProbeKey: Probe] {
        var active: [ProbeKey: Probe] = [:]
        for container in spec.containers {
            guard let instance = runningInstance(of: container.name) else { continue }
            for kind in ProbeKind.allCases {
                guard let probe = kind.probe(of: container) else { continue }
                let isWanted =
                    switch kind {
                    case .startup: !hasStarted(container, instance) && !isEnding
                    case .readiness: hasStarted(container, instance)
                    case .liveness: hasStarted(container, instance) && !isEnding
                    }
                if isWanted {
                    active[ProbeKey(containerID: instance.id, container: container.name, kind: kind)] = probe
                }
            }
        }
        return active
    }
}

/// What the machine remembers of one container besides the runtime's state.
struct ContainerMemory: Sendable {
    /// Number of instances made so far.
    var attempts = 0
    /// True once an instance was started.
    var hasRun = false
    /// Failures to make an instance.
    var start = RetryState(backoff: Backoff(initial: 10, maximum: 300))
    /// Delays after ends.
    var schedule = RestartSchedule()
    /// The instance before the newest.
    var previous: RuntimeContainer?
    /// The status found in the API when the pod was taken over.
    var lastStatus: ContainerStatus?
    /// Instance whose wait was told to the user.
    var reportedInstance: String?
}

/// Something that is tried until it succeeds.
struct RetryState: Sendable {
    /// Delays between attempts.
    var backoff: Backoff
    /// True after success.
    private(set) var isDone = false
    /// The last failure.
    private(set) var failure: PodActionFailure?
    /// Earliest time of the next attempt.
    private(set) var notBefore: Timestamp?
    /// When the last attempt failed.
    private(set) var failedAt: Timestamp?

    init(backoff: Backoff) {
        self.backoff = backoff
    }

    mutating func succeed() {
        self = RetryState(backoff: Backoff(initial: backoff.initial, maximum: backoff.maximum))
        isDone = true
    }

    mutating func fail(_ failure: PodActionFailure, at now: Timestamp) {
        self.failure = failure
        failedAt = now
        // What a user mends by creating an object is looked for often, whatever happened before.
        let delay = failure.reason == "CreateContainerConfigError" ? 5 : backoff.next()
        notBefore = now.advanced(bySeconds: Int64(delay))
    }

    func mayTry(at now: Timestamp) -> Bool {
        notBefore.map { $0 <= now } ?? true
    }
}

extension RuntimeContainer {
    /// True when the instance runs no more; the runtime's lost instances count as ended.
    var hasEnded: Bool { state == .exited || state == .unknown }
}
