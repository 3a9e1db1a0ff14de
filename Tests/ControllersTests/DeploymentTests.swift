import Controllers
import JSON
import KubernetesAPI
import Testing

/// ReplicaSets and pods that follow a plan's actions, without a server.
struct DeploymentSimulation {
    var deployment: Deployment
    var sets: [ReplicaSet] = []
    /// Least available and most existing pods seen while a rollout ran.
    var leastAvailable = Int.max
    var mostPods = 0
    private var clock: Int64 = 0

    init(replicas: Int, surge: IntOrString = 1, unavailable: IntOrString = 0, type: String = "RollingUpdate") {
        deployment = Deployment(
            metadata: ObjectMeta(name: "d", namespace: "default", uid: "d", generation: 1),
            spec: DeploymentSpec(
                replicas: replicas, selector: LabelSelector(matchLabels: ["app": "web"]), template: Self.template("1"),
                strategy: DeploymentStrategy(
                    type: type,
                    rollingUpdate: type == "Recreate"
                        ? nil : RollingUpdate(maxUnavailable: unavailable, maxSurge: surge))))
    }

    static func template(_ image: String) -> JSONValue {
        ["metadata": ["labels": ["app": "web"]], "spec": ["containers": [["name": "c", "image": .string(image)]]]]
    }

    mutating func setImage(_ image: String) {
        deployment.spec?.template = Self.template(image)
        deployment.metadata.generation = (deployment.metadata.generation ?? 0) + 1
    }

    /// Plans and performs once; true when something changed.
    mutating func step() throws -> Bool {
        clock += 1
        let remain = sets.contains {
            !PodTemplate.areEqual($0.spec?.template, deployment.spec?.template) && ($0.status?.replicas ?? 0) > 0
        }
        let plan = DeploymentPlan(
            deployment, sets: sets, oldPodsRemain: remain, now: later.advanced(bySeconds: clock))
        for action in plan.actions {
            switch action {
            case .create(let json):
                var set = try ReplicaSet(json: json)
                set.metadata.creationTimestamp = "\(later.advanced(bySeconds: clock))"
                sets.append(set)
            case .change(let name, let replicas, let annotations):
                let index = try #require(sets.firstIndex { $0.name == name })
                sets[index].metadata.annotations = (sets[index].metadata.annotations ?? [:]).merging(annotations) { $1 }
                if let replicas {
                    sets[index].spec?.replicas = replicas
                }
            case .delete(let name):
                sets.removeAll { $0.name == name }
            case .annotate(let annotations):
                deployment.metadata.annotations = (deployment.metadata.annotations ?? [:]).merging(annotations) { $1 }
            }
        }
        let isChanged = !plan.actions.isEmpty || plan.status != deployment.status
        deployment.status = plan.status
        return isChanged
    }

    /// Lets the ReplicaSets reach their numbers; new pods are available a step after they exist.
    mutating func settle() {
        for index in sets.indices {
            var status = sets[index].status ?? ReplicaSetStatus()
            let target = sets[index].spec?.replicas ?? 0
            let existed = min(status.replicas, target)
            status.replicas = target
            status.readyReplicas = existed
            status.availableReplicas = existed
            sets[index].status = status
        }
        leastAvailable = min(leastAvailable, sets.reduce(0) { $0 + ($1.status?.availableReplicas ?? 0) })
        mostPods = max(mostPods, sets.reduce(0) { $0 + ($1.status?.replicas ?? 0) })
    }

    /// Steps until nothing changes any more.
    mutating func run() throws {
        for _ in 0..<200 {
            let before = sets
            let isChanged = try step()
            settle()
            if !isChanged, before == sets {
                return
            }
        }
        Issue.record("the rollout does not end")
    }

    var active: [ReplicaSet] { sets.filter { ($0.spec?.replicas ?? 0) > 0 } }
}

@Suite struct DeploymentTests {
    @Test func `A new Deployment becomes complete`() throws {
        var simulation = DeploymentSimulation(replicas: 3)
        try simulation.run()
        let set = try #require(simulation.sets.first)
        #expect(simulation.sets.count == 1)
        #expect(set.spec?.replicas == 3)
        #expect(set.metadata.annotations?[DeploymentPlan.revision] == "1")
        #expect(set.metadata.labels?["pod-template-hash"] == set.spec?.selector?.matchLabels?["pod-template-hash"])
        #expect(set.metadata.name == "d-\(set.metadata.labels?["pod-template-hash"] ?? "")")
        let status = try #require(simulation.deployment.status)
        #expect(status.availableReplicas == 3)
        #expect(status.conditions?["Progressing"]?.reason == "NewReplicaSetAvailable")
        #expect(status.conditions?.isTrue("Available") ?? false)
        #expect(simulation.deployment.metadata.annotations?[DeploymentPlan.revision] == "1")
    }

    @Test(arguments: [
        (4, IntOrString.int(1), IntOrString.int(0)),
        (4, .int(0), .int(1)),
        (10, "25%", "25%"),
        (1, "25%", "25%"),
        (7, .int(3), .int(2)),
        (5, "100%", .int(0)),
        (3, .int(0), .int(0)),
    ])
    func `A rollout keeps its bounds at every step`(replicas: Int, surge: IntOrString, unavailable: IntOrString) throws
    {
        var simulation = DeploymentSimulation(replicas: replicas, surge: surge, unavailable: unavailable)
        try simulation.run()
        simulation.leastAvailable = .max
        simulation.mostPods = 0
        simulation.setImage("2")
        try simulation.run()
        let bounds = DeploymentPlan.bounds(simulation.deployment.spec?.strategy, desired: replicas)
        #expect(simulation.leastAvailable >= replicas - bounds.unavailable)
        #expect(simulation.mostPods <= replicas + bounds.surge)
        #expect(simulation.active.map(\.spec?.replicas) == [replicas])
        #expect(simulation.deployment.status?.updatedReplicas == replicas)
        #expect(simulation.deployment.metadata.annotations?[DeploymentPlan.revision] == "2")
    }

    @Test func `Going back takes up the old ReplicaSet as the newest revision`() throws {
        var simulation = DeploymentSimulation(replicas: 2)
        try simulation.run()
        let first = simulation.active.first?.name
        simulation.setImage("2")
        try simulation.run()
        simulation.setImage("1")
        try simulation.run()
        #expect(simulation.sets.count == 2)
        #expect(simulation.active.map(\.name) == [first])
        #expect(simulation.active.first?.metadata.annotations?[DeploymentPlan.revision] == "3")
        let history = simulation.active.first?.metadata.annotations?["deployment.kubernetes.io/revision-history"]
        #expect(history == "1")
    }

    @Test func `Recreate ends all old pods before it creates new ones`() throws {
        var simulation = DeploymentSimulation(replicas: 3, type: "Recreate")
        try simulation.run()
        simulation.setImage("2")
        simulation.mostPods = 0
        simulation.leastAvailable = .max
        try simulation.run()
        #expect(simulation.mostPods <= 3)
        #expect(simulation.leastAvailable == 0)
        #expect(simulation.active.map(\.spec?.replicas) == [3])
    }

    @Test func `Scaling changes the newest ReplicaSet, also while paused`() throws {
        var simulation = DeploymentSimulation(replicas: 2)
        try simulation.run()
        simulation.deployment.spec?.replicas = 5
        try simulation.run()
        #expect(simulation.active.map(\.spec?.replicas) == [5])
        simulation.deployment.spec?.paused = true
        simulation.deployment.spec?.replicas = 1
        simulation.setImage("2")
        try simulation.run()
        #expect(simulation.sets.map(\.spec?.replicas) == [1])
        simulation.deployment.spec?.replicas = 0
        try simulation.run()
        #expect(simulation.active.isEmpty)
    }

    @Test func `Old ReplicaSets beyond the limit are deleted`() throws {
        var simulation = DeploymentSimulation(replicas: 1)
        simulation.deployment.spec?.revisionHistoryLimit = 2
        for image in 1...6 {
            simulation.setImage("\(image)")
            try simulation.run()
        }
        let revisions = simulation.sets.compactMap { $0.metadata.annotations?[DeploymentPlan.revision] }
        #expect(Set(revisions) == ["4", "5", "6"])
    }

    @Test func `A rollout that stands still is reported after its deadline`() throws {
        var simulation = DeploymentSimulation(replicas: 2)
        simulation.deployment.spec?.progressDeadlineSeconds = 5
        for _ in 0..<10 {
            _ = try simulation.step()
        }
        #expect(simulation.deployment.status?.conditions?["Progressing"]?.reason == "ProgressDeadlineExceeded")
    }
}
