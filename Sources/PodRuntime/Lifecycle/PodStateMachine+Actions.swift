package import KubernetesAPI

extension PodStateMachine {
    /// The actions to begin now; their targets are busy until ``finished(_:_:at:)``.
    package mutating func actions(at now: Timestamp) -> [PodAction] {
        guard isObserved, !isGone else { return [] }
        let wanted: [PodAction]
        if isEnding {
            wanted = endingActions(at: now)
        } else if finalPhase != nil {
            wanted = finishedActions()
        } else {
            wanted = runningActions(at: now)
        }
        var begun: [PodAction] = []
        for action in wanted where removals[action.target]?.mayTry(at: now) ?? true {
            guard busy.insert(action.target).inserted else { continue }
            begun.append(action)
            if case .reportBackOff(let name) = action {
                let instance = containers[name]?.schedule.instance
                containers[name]?.reportedInstance = instance
            }
        }
        return begun
    }

    /// When ``actions(at:)`` or the status may change without any input, nil for never.
    package func wakeTime(after now: Timestamp) -> Timestamp? {
        var times = [volumes.notBefore, sandbox.notBefore] + removals.values.map(\.notBefore)
        for memory in containers.values {
            times += [memory.start.notBefore, memory.schedule.notBefore]
            times.append(memory.start.failedAt?.advanced(bySeconds: Self.pullErrorSeconds))
        }
        return times.compactMap { $0 }.filter { $0 > now }.min()
    }

    // MARK: Running

    private func runningActions(at now: Timestamp) -> [PodAction] {
        var actions: [PodAction] = []
        if !volumes.isDone, volumes.mayTry(at: now) {
            actions.append(.prepareVolumes)
        }
        guard let current = runtime.sandboxes.first, current.isReady else {
            return actions + newSandboxActions(at: now)
        }
        for old in runtime.sandboxes.dropFirst() {
            actions.append(.removeSandbox(id: old.id))
        }
        actions += superfluousInstances(keepingIn: current)
        guard volumes.isDone else { return actions }
        actions += ephemeralActions(in: current, at: now)
        for container in spec.initContainers ?? [] where !isInitialized(current) {
            let plan = plan(for: container, isInit: true, in: current, at: now)
            actions += plan.actions
            guard plan.isSuccess else { return actions }
        }
        for container in spec.containers {
            actions += plan(for: container, isInit: false, in: current, at: now).actions
        }
        return actions
    }

    /// The old sandbox is dead or there is none: what lives on is ended, then a new one is made.
    private func newSandboxActions(at now: Timestamp) -> [PodAction] {
        let living = runtime.containers.filter { $0.state == .running }
        guard living.isEmpty else {
            return living.map {
                stop($0, gracePeriod: 1, cause: "Pod sandbox changed, it will be killed and re-created.")
            }
        }
        let mayRun = spec.containers.contains { !isFinal(runtime.instances(of: $0.name).first, isInit: false) }
        guard mayRun, sandbox.mayTry(at: now) else { return [] }
        return [.createSandbox(attempt: (runtime.sandboxes.first?.attempt ?? -1) + 1)]
    }

    /// Ephemeral containers wait for no other: they are there to find out why those do not start.
    private func ephemeralActions(in sandbox: RuntimeSandbox, at now: Timestamp) -> [PodAction] {
        (spec.ephemeralContainers ?? []).compactMap { ephemeral in
            let name = ephemeral.container.name
            let memory = containers[name] ?? ContainerMemory()
            guard !memory.hasRun, !busy.contains(.container(name)) else { return nil }
            if let left = runtime.instances(of: name).first {
                return .removeContainer(id: left.id, name: name, attempt: left.attempt)
            }
            guard memory.start.mayTry(at: now) else { return nil }
            return .startContainer(name: name, attempt: memory.attempts, sandboxID: sandbox.id)
        }
    }

    private struct Plan {
        var actions: [PodAction] = []
        /// True when the container ended well and stays so.
        var isSuccess = false
    }

    private func plan(
        for container: Container, isInit: Bool, in sandbox: RuntimeSandbox, at now: Timestamp
    ) -> Plan {
        let memory = containers[container.name] ?? ContainerMemory()
        let latest = runtime.instances(of: container.name).first
        let start = PodAction.startContainer(
            name: container.name, attempt: memory.attempts, sandboxID: sandbox.id)
        guard let latest, latest.sandboxID == sandbox.id || isFinal(latest, isInit: isInit) else {
            return Plan(actions: memory.start.mayTry(at: now) ? [start] : [])
        }
        switch latest.state {
        case .created:
            // Left by an earlier life of this process between making and starting it.
            return Plan(
                actions: busy.contains(.container(container.name))
                    ? [] : [.removeContainer(id: latest.id, name: latest.name, attempt: latest.attempt)])
        case .running:
            guard let cause = causeOfRestart(container, latest) else { return Plan() }
            return Plan(actions: [
                stop(latest, gracePeriod: restartGracePeriod(container), cause: cause)
            ])
        case .exited, .unknown:
            guard !isFinal(latest, isInit: isInit) else { return Plan(isSuccess: latest.succeeded) }
            guard let due = memory.schedule.notBefore, due > now else {
                return Plan(actions: memory.start.mayTry(at: now) ? [start] : [])
            }
            return Plan(
                actions: memory.reportedInstance == latest.id ? [] : [.reportBackOff(name: container.name)])
        }
    }

    private func causeOfRestart(_ container: Container, _ instance: RuntimeContainer) -> String? {
        for kind in [ProbeKind.liveness, .startup] {
            let key = ProbeKey(containerID: instance.id, container: container.name, kind: kind)
            if let tracker = probes[key], tracker.isDecided, !tracker.passes {
                return "Container \(container.name) failed \(kind.rawValue.lowercased()) probe, will be restarted"
            }
        }
        return nil
    }

    private func restartGracePeriod(_ container: Container) -> Int {
        container.livenessProbe?.terminationGracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? 30
    }

    /// Ended instances beyond the newest and the one before, whose log `--previous` shows.
    private func superfluousInstances(keepingIn current: RuntimeSandbox) -> [PodAction] {
        spec.allContainers.flatMap { container in
            runtime.instances(of: container.name).dropFirst(2)
                .filter { $0.sandboxID == current.id && $0.state != .running }
                .map { PodAction.removeContainer(id: $0.id, name: $0.name, attempt: $0.attempt) }
        }
    }

    // MARK: Ending

    /// The pod ended by itself: its addresses are released, its logs stay until the object goes.
    private func finishedActions() -> [PodAction] {
        let living = runtime.containers.filter { $0.state == .running }
        guard living.isEmpty else {
            return living.map { stop($0, gracePeriod: 1, cause: "Stopping container \($0.name)") }
        }
        return runtime.sandboxes.filter(\.isReady).map { .stopSandbox(id: $0.id) }
    }

    private func endingActions(at now: Timestamp) -> [PodAction] {
        let living = runtime.containers.filter { $0.state == .running }
        guard living.isEmpty else {
            let left = deadline.map { Int($0.seconds(since: now).rounded(.up)) } ?? 1
            return living.map { stop($0, gracePeriod: max(1, left), cause: "Stopping container \($0.name)") }
        }
        // What is being made must be seen before it can be removed.
        guard busy.isEmpty else { return [] }
        if let sandbox = runtime.sandboxes.last {
            return [.removeSandbox(id: sandbox.id)]
        }
        return [.finishDeletion]
    }

    private func stop(_ instance: RuntimeContainer, gracePeriod: Int, cause: String) -> PodAction {
        .stopContainer(id: instance.id, name: instance.name, gracePeriod: gracePeriod, cause: cause)
    }
}
