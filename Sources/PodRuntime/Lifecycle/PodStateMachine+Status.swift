import Addresses
package import KubernetesAPI

extension PodStateMachine {
    /// The status to publish; remembers its conditions for their times of transition.
    package mutating func status(at now: Timestamp) -> PodStatus {
        let initStatuses = (spec.initContainers ?? []).map { containerStatus($0, isInit: true, at: now) }
        let statuses = spec.containers.map { containerStatus($0, isInit: false, at: now) }
        let ephemeral = (spec.ephemeralContainers ?? []).map { ephemeralStatus($0.container, at: now) }
        let phase = phase(initStatuses, statuses)
        if finalPhase == nil, phase == "Succeeded" || phase == "Failed", !isEnding {
            finalPhase = phase
        }
        conditions = newConditions(phase, initStatuses, statuses, at: now)
        var status = PodStatus(phase: phase, conditions: conditions)
        if !hostAddresses.isEmpty {
            status.hostIP = hostAddresses.first?.description
            status.hostIPs = hostAddresses.map { HostIP(ip: $0.description) }
        }
        if !addresses.isEmpty {
            status.podIP = addresses.first?.description
            status.podIPs = addresses.map { PodIP(ip: $0.description) }
        }
        status.startTime = startTime.description
        status.initContainerStatuses = initStatuses.isEmpty ? nil : initStatuses
        status.containerStatuses = statuses
        status.ephemeralContainerStatuses = ephemeral.isEmpty ? nil : ephemeral
        status.qosClass = QualityOfService(of: spec).rawValue
        return status
    }

    // MARK: Containers

    private func containerStatus(_ container: Container, isInit: Bool, at now: Timestamp) -> ContainerStatus {
        let memory = containers[container.name] ?? ContainerMemory()
        var status = ContainerStatus(name: container.name, image: container.image ?? "")
        status.restartCount = max(0, memory.attempts - 1)
        guard let latest = runtime.instances(of: container.name).first else {
            if finalPhase != nil || !isObserved, let old = memory.lastStatus { return old }
            status.state = ContainerState(waiting: waiting(memory, isInit: isInit, at: now))
            status.lastState = memory.lastStatus?.lastState
            status.started = false
            return status
        }
        status.containerID = "containerd://\(latest.id)"
        status.imageID = latest.imageRef
        let previous = memory.previous.map { ContainerState(terminated: terminated($0)) }
        status.lastState = previous ?? memory.lastStatus?.lastState
        switch latest.state {
        case .created:
            status.state = ContainerState(waiting: waiting(memory, isInit: isInit, at: now))
        case .running:
            status.state = ContainerState(
                running: ContainerStateRunning(startedAt: (latest.startedAt ?? latest.createdAt).description))
            status.started = hasStarted(container, latest)
            status.ready = !isInit && isReady(container, latest)
        case .exited, .unknown:
            let end = ContainerState(terminated: terminated(latest))
            status.started = false
            status.ready = isInit && latest.succeeded
            if let wait = waitingAfterEnd(container, latest, memory, isInit: isInit, at: now) {
                status.state = ContainerState(waiting: wait)
                status.lastState = end
            } else {
                status.state = end
            }
        }
        return status
    }

    /// An ephemeral container is never ready, and once it has ended it stays so.
    private func ephemeralStatus(_ container: Container, at now: Timestamp) -> ContainerStatus {
        let memory = containers[container.name] ?? ContainerMemory()
        var status = ContainerStatus(name: container.name, image: container.image ?? "")
        guard let latest = runtime.instances(of: container.name).first, latest.state != .created else {
            if memory.hasRun, let old = memory.lastStatus { return old }
            status.state = ContainerState(
                waiting: memory.start.failure.map { waiting($0, memory.start, at: now) }
                    ?? ContainerStateWaiting(reason: "ContainerCreating"))
            return status
        }
        status.containerID = "containerd://\(latest.id)"
        status.imageID = latest.imageRef
        status.state =
            latest.hasEnded
            ? ContainerState(terminated: terminated(latest))
            : ContainerState(
                running: ContainerStateRunning(startedAt: (latest.startedAt ?? latest.createdAt).description))
        return status
    }

    private func terminated(_ instance: RuntimeContainer) -> ContainerStateTerminated {
        let isLost = instance.state == .unknown
        return ContainerStateTerminated(
            exitCode: isLost ? 137 : instance.exitCode,
            reason: isLost
                ? "ContainerStatusUnknown"
                : instance.reason.isEmpty ? (instance.succeeded ? "Completed" : "Error") : instance.reason,
            message: instance.message.isEmpty ? nil : instance.message,
            startedAt: instance.startedAt?.description, finishedAt: instance.finishedAt?.description,
            containerID: "containerd://\(instance.id)")
    }

    private func waiting(_ memory: ContainerMemory, isInit: Bool, at now: Timestamp) -> ContainerStateWaiting {
        if let failure = memory.start.failure {
            return waiting(failure, memory.start, at: now)
        }
        let isFirst = isInit || (spec.initContainers ?? []).isEmpty
        return ContainerStateWaiting(reason: isFirst ? "ContainerCreating" : "PodInitializing")
    }

    /// A failed pull first shows its error, then that the next is waited for.
    private func waiting(
        _ failure: PodActionFailure, _ retry: RetryState, at now: Timestamp
    ) -> ContainerStateWaiting {
        let age = retry.failedAt.map { now.seconds(since: $0) } ?? 0
        guard failure.reason == "ErrImagePull", age >= Double(Self.pullErrorSeconds) else {
            return ContainerStateWaiting(reason: failure.reason, message: failure.message)
        }
        return ContainerStateWaiting(
            reason: "ImagePullBackOff", message: "Back-off pulling image: \(failure.message)")
    }

    private func waitingAfterEnd(
        _ container: Container, _ latest: RuntimeContainer, _ memory: ContainerMemory, isInit: Bool,
        at now: Timestamp
    ) -> ContainerStateWaiting? {
        guard !isEnding, finalPhase == nil, !isFinal(latest, isInit: isInit) else { return nil }
        if let failure = memory.start.failure {
            return waiting(failure, memory.start, at: now)
        }
        guard memory.schedule.delay > 0, let due = memory.schedule.notBefore, due > now else { return nil }
        return ContainerStateWaiting(reason: "CrashLoopBackOff", message: backOffMessage(container.name))
    }

    /// What the user reads while a container waits for its next start.
    package func backOffMessage(_ name: String) -> String {
        let identity = "\(pod.name)_\(pod.namespace)(\(pod.metadata.uid ?? ""))"
        let delay = containers[name]?.schedule.delay ?? 0
        return "back-off \(delay)s restarting failed container=\(name) pod=\(identity)"
    }
}
