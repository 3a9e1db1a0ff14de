import KubernetesAPI

extension PodStateMachine {
    /// The pod's phase from its containers' states.
    func phase(_ initStatuses: [ContainerStatus], _ statuses: [ContainerStatus]) -> String {
        if let finalPhase { return finalPhase }
        let hasRunBefore = statuses.contains { $0.containerID != nil || $0.lastState?.terminated != nil }
        if !hasRunBefore {
            let failed = initStatuses.contains { status in
                status.state?.terminated.map { $0.exitCode != 0 } ?? false
            }
            if failed, restartPolicy == "Never" { return "Failed" }
            return "Pending"
        }
        let states = statuses.map { ($0.state, $0.lastState) }
        if states.contains(where: { $0.0?.running != nil }) { return "Running" }
        if states.contains(where: { $0.0?.waiting != nil && $0.1?.terminated == nil }) { return "Pending" }
        let ends = states.compactMap { $0.0?.terminated }
        guard ends.count == statuses.count else { return "Running" }
        // A pod that is being deleted has come to its end whatever its policy.
        if restartPolicy == "Always", !isEnding { return "Running" }
        if ends.allSatisfy({ $0.exitCode == 0 }) { return "Succeeded" }
        return restartPolicy == "Never" || isEnding ? "Failed" : "Running"
    }

    /// Conditions that other parties write; they are kept as the API has them.
    mutating func adoptForeignConditions() {
        let own: Set = ["PodReadyToStartContainers", "Initialized", "ContainersReady", "Ready"]
        let foreign = (pod.status?.conditions ?? []).filter { !own.contains($0.type) }
        conditions = conditions.filter { own.contains($0.type) } + foreign
    }

    func newConditions(
        _ phase: String, _ initStatuses: [ContainerStatus], _ statuses: [ContainerStatus], at now: Timestamp
    ) -> [Condition] {
        let isCompleted = phase == "Succeeded"
        let waitingInit = initStatuses.filter { !$0.ready }.map(\.name)
        let hasRun = statuses.contains { $0.containerID != nil }
        let initialized = waitingInit.isEmpty || hasRun || isCompleted
        let unready = statuses.filter { !$0.ready }.map(\.name)
        let time = now.description
        var result = conditions
        let hasNetwork = runtime.sandboxes.first?.isReady == true && !addresses.isEmpty
        result.set("PodReadyToStartContainers", text(hasNetwork), at: time)
        result.set(
            "Initialized", text(initialized), reason: initialized ? nil : "ContainersNotInitialized",
            message: initialized ? nil : "containers with incomplete status: \(waitingInit.bracketed)", at: time)
        var isReady = unready.isEmpty
        var reason: String?
        var message: String?
        if phase == "Succeeded" || phase == "Failed" {
            isReady = false
            reason = isCompleted ? "PodCompleted" : "PodFailed"
        } else if !isReady {
            reason = "ContainersNotReady"
            message = "containers with unready status: \(unready.bracketed)"
        }
        result.set("ContainersReady", text(isReady), reason: reason, message: message, at: time)
        if isReady, let gates = failingGates {
            isReady = false
            reason = "ReadinessGatesNotReady"
            message = gates
        }
        result.set("Ready", text(isReady), reason: reason, message: message, at: time)
        if result["PodScheduled"] == nil {
            result.set("PodScheduled", "True", at: time)
        }
        return result
    }

    /// What keeps readiness back besides containers.
    private var failingGates: String? {
        let texts: [String] = (spec.readinessGates ?? []).compactMap { gate in
            guard let condition = pod.status?.conditions?[gate.conditionType] else {
                return "corresponding condition of pod readiness gate \"\(gate.conditionType)\" does not exist."
            }
            guard condition.status != "True" else { return nil }
            return "the status of pod readiness gate \"\(gate.conditionType)\" is not \"True\", but \(condition.status)"
        }
        return texts.isEmpty ? nil : texts.joined(separator: ", ")
    }

    private func text(_ value: Bool) -> String { value ? "True" : "False" }
}

extension [String] {
    fileprivate var bracketed: String { "[\(joined(separator: " "))]" }
}
