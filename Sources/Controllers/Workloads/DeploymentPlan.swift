package import JSON
package import KubernetesAPI

/// The next step of a Deployment towards its template and number of pods, and its status.
///
/// Steps follow one another: each changes ReplicaSets, and their changes lead to the next plan.
package struct DeploymentPlan: Sendable {
    /// One change of a ReplicaSet or of the Deployment itself.
    package enum Action: Sendable, Hashable {
        /// Create the ReplicaSet of the present template.
        case create(JSONValue)
        /// Change replicas and annotations of a ReplicaSet; nil replicas stay.
        case change(String, replicas: Int?, annotations: [String: String])
        /// Delete a ReplicaSet that no revision needs any more.
        case delete(String)
        /// Change annotations of the Deployment.
        case annotate([String: String])
    }

    /// Annotation with the number of a revision.
    package static let revision = "deployment.kubernetes.io/revision"
    static let revisionHistory = "deployment.kubernetes.io/revision-history"
    static let desiredReplicas = "deployment.kubernetes.io/desired-replicas"
    static let maxReplicas = "deployment.kubernetes.io/max-replicas"
    /// Annotations of a Deployment that its ReplicaSets do not take over.
    private static let own: Set<String> = [
        "kubectl.kubernetes.io/last-applied-configuration", revision, revisionHistory, desiredReplicas, maxReplicas,
        "deprecated.deployment.rollback.to",
    ]

    /// Changes to make now.
    package private(set) var actions: [Action] = []
    /// Status to write.
    package private(set) var status: DeploymentStatus
    /// Seconds after which to plan again without a change, for the progress deadline.
    package private(set) var nextCheck: Double?

    private let deployment: Deployment
    private let desired: Int
    private let maxSurge: Int
    private let maxUnavailable: Int
    private let current: ReplicaSet?
    /// ReplicaSets of other templates, oldest first.
    private let old: [ReplicaSet]

    /// Plans for a Deployment and the ReplicaSets that it controls.
    ///
    /// - Parameter oldPodsRemain: True while pods of other templates run or end; `Recreate` waits for them.
    package init(_ deployment: Deployment, sets: [ReplicaSet], oldPodsRemain: Bool, now: Timestamp) {
        self.deployment = deployment
        let spec = deployment.spec
        desired = spec?.replicas ?? 1
        (maxSurge, maxUnavailable) = Self.bounds(spec?.strategy, desired: desired)
        let sorted = sets.sorted {
            ($0.metadata.creationTimestamp ?? "", $0.name) < ($1.metadata.creationTimestamp ?? "", $1.name)
        }
        // Two of one template can only stem from a change of hash; the oldest counts, as it did before.
        let current = sorted.first { PodTemplate.areEqual($0.spec?.template, spec?.template) }
        self.current = current
        old = sorted.filter { $0.name != current?.name }
        status = deployment.status ?? DeploymentStatus()
        guard !deployment.isBeingDeleted else { return }
        if spec?.paused == true {
            planPaused()
        } else {
            planRevision(mayCreate: spec?.strategy?.type != "Recreate" || !oldPodsRemain)
            if spec?.strategy?.type == "Recreate" {
                planRecreate(oldPodsRemain: oldPodsRemain)
            } else {
                planRollingUpdate()
            }
        }
        planStatus(now: now)
        planCleanUp()
    }

    /// Surge and unavailability as numbers; both zero would never move, so one pod may then be missing.
    package static func bounds(_ strategy: DeploymentStrategy?, desired: Int) -> (surge: Int, unavailable: Int) {
        guard strategy?.type != "Recreate" else { return (0, desired) }
        let rolling = strategy?.rollingUpdate
        let surge = (rolling?.maxSurge ?? "25%").scaled(of: desired, roundingUp: true) ?? 0
        let unavailable = (rolling?.maxUnavailable ?? "25%").scaled(of: desired, roundingUp: false) ?? 0
        return (surge, min(surge == 0 && unavailable == 0 ? 1 : unavailable, desired))
    }

    // MARK: Revisions

    private var sets: [ReplicaSet] { old + (current.map { [$0] } ?? []) }

    private static func revision(of set: ReplicaSet) -> Int {
        set.metadata.annotations?[revision].flatMap { Int($0) } ?? 0
    }

    /// Makes the present template's ReplicaSet the newest revision.
    private mutating func planRevision(mayCreate: Bool) {
        let number = (old.map(Self.revision).max() ?? 0) + 1
        var annotations = (deployment.metadata.annotations ?? [:]).filter { !Self.own.contains($0.key) }
        annotations[Self.desiredReplicas] = "\(desired)"
        annotations[Self.maxReplicas] = "\(desired + maxSurge)"
        guard let current else {
            guard mayCreate else { return }
            annotations[Self.revision] = "\(number)"
            actions.append(.create(newSet(annotations)))
            annotateDeployment(revision: number)
            return
        }
        let present = Self.revision(of: current)
        let revision = max(present, number)
        annotations[Self.revision] = "\(revision)"
        if present > 0, present < revision {
            let history = current.metadata.annotations?[Self.revisionHistory] ?? ""
            annotations[Self.revisionHistory] = history.isEmpty ? "\(present)" : "\(history),\(present)"
        }
        let changed = annotations.filter { current.metadata.annotations?[$0.key] != $0.value }
        if !changed.isEmpty {
            actions.append(.change(current.name, replicas: nil, annotations: changed))
        }
        annotateDeployment(revision: revision)
    }

    private mutating func annotateDeployment(revision: Int) {
        if deployment.metadata.annotations?[Self.revision] != "\(revision)" {
            actions.append(.annotate([Self.revision: "\(revision)"]))
        }
    }

    private func newSet(_ annotations: [String: String]) -> JSONValue {
        let spec = deployment.spec
        let hash = PodTemplate.hash(spec?.template, collisions: status.collisionCount)
        var template = spec?.template ?? .null
        template.set(.string(hash), at: "metadata", "labels", WellKnownLabel.podTemplateHash)
        var selector = spec?.selector ?? LabelSelector()
        selector.matchLabels = (selector.matchLabels ?? [:]).merging([WellKnownLabel.podTemplateHash: hash]) { $1 }
        var set = ReplicaSet(
            metadata: ObjectMeta(
                name: "\(deployment.name)-\(hash)", namespace: deployment.metadata.namespace, labels: nil,
                annotations: annotations, ownerReferences: [deployment.controllerReference]),
            spec: ReplicaSetSpec(
                replicas: initialReplicas, minReadySeconds: spec?.minReadySeconds, selector: selector,
                template: template))
        set.metadata.labels = template.at("metadata", "labels")?.object.map { labels in
            Dictionary(labels.map { ($0.key, $0.value.string ?? "") }) { $1 }
        }
        // A value built from decoded values always encodes.
        return (try? set.json()) ?? .null
    }

    /// Pods that a new ReplicaSet may have at once.
    private var initialReplicas: Int {
        guard deployment.spec?.strategy?.type != "Recreate" else { return desired }
        let total = sets.reduce(0) { $0 + ($1.spec?.replicas ?? 0) }
        return max(0, min(desired, desired + maxSurge - total))
    }

    // MARK: Steps

    private mutating func scale(_ set: ReplicaSet, to replicas: Int) {
        guard (set.spec?.replicas ?? 1) != replicas else { return }
        // One write carries replicas and annotations of one ReplicaSet.
        for (index, action) in actions.enumerated() {
            if case .change(set.name, _, let annotations) = action {
                actions[index] = .change(set.name, replicas: replicas, annotations: annotations)
                return
            }
        }
        let annotations = [Self.desiredReplicas: "\(desired)", Self.maxReplicas: "\(desired + maxSurge)"]
        actions.append(.change(set.name, replicas: replicas, annotations: annotations))
    }

    private mutating func planPaused() {
        let active = sets.filter { ($0.spec?.replicas ?? 0) > 0 }
        if let target = active.count == 1 ? active.first : (active.isEmpty ? current : nil) {
            scale(target, to: desired)
        }
    }

    private mutating func planRecreate(oldPodsRemain: Bool) {
        for set in old {
            scale(set, to: 0)
        }
        if let current, !oldPodsRemain {
            scale(current, to: desired)
        }
    }

    private mutating func planRollingUpdate() {
        guard let current else { return }
        let replicas = current.spec?.replicas ?? 1
        let total = sets.reduce(0) { $0 + ($1.spec?.replicas ?? 0) }
        if replicas > desired {
            scale(current, to: desired)
        } else if replicas < desired {
            let room = desired + maxSurge - total
            if room > 0 {
                scale(current, to: replicas + min(room, desired - replicas))
                return
            }
        }
        let running = old.filter { ($0.spec?.replicas ?? 0) > 0 }
        guard !running.isEmpty else { return }
        let minimum = desired - maxUnavailable
        let missing = max(0, replicas - (current.status?.availableReplicas ?? 0))
        var removable = total - minimum - missing
        guard removable > 0 else { return }
        var sizes = Dictionary(uniqueKeysWithValues: running.map { ($0.name, $0.spec?.replicas ?? 0) })
        // Pods that do not serve go first: nobody misses them.
        for set in running where removable > 0 {
            let size = sizes[set.name] ?? 0
            let unhealthy = min(removable, max(0, size - (set.status?.availableReplicas ?? 0)))
            sizes[set.name] = size - unhealthy
            removable -= unhealthy
        }
        let available = sets.reduce(0) { $0 + ($1.status?.availableReplicas ?? 0) }
        var surplus = available - minimum
        for set in running where surplus > 0 {
            let size = sizes[set.name] ?? 0
            let healthy = min(surplus, size)
            sizes[set.name] = size - healthy
            surplus -= healthy
        }
        for set in running {
            scale(set, to: sizes[set.name] ?? 0)
        }
    }

    private mutating func planCleanUp() {
        guard isComplete else { return }
        let limit = deployment.spec?.revisionHistoryLimit ?? 10
        let idle =
            old
            .filter { $0.spec?.replicas == 0 && ($0.status?.replicas ?? 0) == 0 && !$0.isBeingDeleted }
            .sorted { Self.revision(of: $0) < Self.revision(of: $1) }
        for set in idle.prefix(max(0, idle.count - limit)) {
            actions.append(.delete(set.name))
        }
    }

    // MARK: Status

    private var isComplete: Bool {
        status.updatedReplicas == desired && status.replicas == desired && status.availableReplicas == desired
    }

    private mutating func planStatus(now: Timestamp) {
        let before = deployment.status
        let total = sets.reduce(0) { $0 + ($1.status?.replicas ?? 0) }
        status.observedGeneration = deployment.metadata.generation
        status.replicas = total
        status.updatedReplicas = current?.status?.replicas ?? 0
        status.readyReplicas = sets.reduce(0) { $0 + ($1.status?.readyReplicas ?? 0) }
        let available = sets.reduce(0) { $0 + ($1.status?.availableReplicas ?? 0) }
        status.availableReplicas = available
        status.unavailableReplicas = max(0, sets.reduce(0) { $0 + ($1.spec?.replicas ?? 0) } - available)
        var conditions = status.conditions ?? []
        if available >= desired - maxUnavailable {
            conditions.update(
                "Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.", now)
        } else {
            conditions.update(
                "Available", "False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.",
                now)
        }
        planProgress(&conditions, before: before, now: now)
        if let failure = current?.status?.conditions?["ReplicaFailure"], failure.status == "True" {
            conditions.update("ReplicaFailure", "True", failure.reason ?? "", failure.message ?? "", now)
        } else {
            conditions.removeAll { $0.type == "ReplicaFailure" }
        }
        status.conditions = conditions
    }

    private mutating func planProgress(_ conditions: inout [Condition], before: DeploymentStatus?, now: Timestamp) {
        guard deployment.spec?.paused != true else {
            conditions.update("Progressing", "Unknown", "DeploymentPaused", "Deployment is paused", now)
            return
        }
        let present = conditions["Progressing"]
        guard let current else {
            if let name = actions.lazy.compactMap(Self.createdName).first {
                conditions.update(
                    "Progressing", "True", "NewReplicaSetCreated", "Created new replica set \"\(name)\"", now)
            }
            return
        }
        if isComplete {
            conditions.update(
                "Progressing", "True", "NewReplicaSetAvailable",
                "ReplicaSet \"\(current.name)\" has successfully progressed.", now)
            return
        }
        let hasMoved =
            (status.updatedReplicas ?? 0) > (before?.updatedReplicas ?? 0)
            || (status.readyReplicas ?? 0) > (before?.readyReplicas ?? 0)
            || (status.availableReplicas ?? 0) > (before?.availableReplicas ?? 0)
            || (status.replicas ?? 0) - (status.updatedReplicas ?? 0)
                < (before?.replicas ?? 0) - (before?.updatedReplicas ?? 0)
        let isNew = present == nil || present?.reason == "NewReplicaSetAvailable" || present?.status == "Unknown"
        if hasMoved || isNew {
            conditions.update(
                "Progressing", "True", "ReplicaSetUpdated", "ReplicaSet \"\(current.name)\" is progressing.", now)
            conditions.touch("Progressing", now)
        }
        let deadline = Double(deployment.spec?.progressDeadlineSeconds ?? 600)
        let since = conditions["Progressing"]?.lastUpdateTime.flatMap { Timestamp($0) } ?? now
        let rest = deadline - now.seconds(since: since)
        if rest > 0 {
            nextCheck = rest
        } else {
            conditions.update(
                "Progressing", "False", "ProgressDeadlineExceeded",
                "ReplicaSet \"\(current.name)\" has timed out progressing.", now)
        }
    }

    private static func createdName(_ action: Action) -> String? {
        if case .create(let set) = action {
            return set.at("metadata", "name")?.string
        }
        return nil
    }
}

extension [Condition] {
    /// Sets a condition, with the time of update when it changed.
    fileprivate mutating func update(
        _ type: String, _ status: String, _ reason: String, _ message: String, _ now: Timestamp
    ) {
        if set(type, status, reason: reason, message: message, at: "\(now)") {
            touch(type, now)
        }
    }

    /// Sets the time of update.
    fileprivate mutating func touch(_ type: String, _ now: Timestamp) {
        if let index = firstIndex(where: { $0.type == type }) {
            self[index].lastUpdateTime = "\(now)"
        }
    }
}
