import KubernetesAPI
import PodRuntime
import Testing

/// Containers that are added to a pod that runs.
@Suite struct EphemeralContainerTests {
    private static func debugger(_ name: String) -> EphemeralContainer {
        EphemeralContainer(Container(name: name, image: "debug:1"), targetContainerName: "web")
    }

    private static func added(_ names: String..., to pod: Pod) -> Pod {
        var pod = pod
        pod.spec?.ephemeralContainers = names.map(debugger)
        return pod
    }

    private func status(_ name: String, _ simulation: inout Simulation) -> ContainerStatus? {
        simulation.status.ephemeralContainerStatuses?.first { $0.name == name }
    }

    @Test func `one that is added starts, and ends for good`() {
        var simulation = Simulation(pod())
        simulation.settle()
        #expect(simulation.status.ephemeralContainerStatuses == nil)
        simulation.machine.update(Self.added("d", to: pod()), at: simulation.now)
        #expect(status("d", &simulation)?.state?.waiting?.reason == "ContainerCreating")
        #expect(simulation.settle() == [.startContainer(name: "d", attempt: 0, sandboxID: "s2")])
        #expect(status("d", &simulation)?.state?.running != nil)
        #expect(status("d", &simulation)?.ready == false)
        #expect(simulation.status.conditions?.isTrue("Ready") == true, "it does not count for the pod")
        simulation.exit("d", code: 3)
        #expect(simulation.settle() == [])
        #expect(status("d", &simulation)?.state?.terminated?.exitCode == 3)
        #expect(simulation.status.phase == "Running")
        simulation.machine.update(Self.added("d", "e", to: pod()), at: simulation.now)
        #expect(simulation.settle() == [.startContainer(name: "e", attempt: 0, sandboxID: "s2")])
    }

    @Test func `it starts while an init container keeps the pod back`() {
        let waiting = pod(initContainers: [Container(name: "init", image: "i")])
        var simulation = Simulation(Self.added("d", to: waiting))
        let actions = simulation.settle()
        #expect(actions.contains(.startContainer(name: "d", attempt: 0, sandboxID: "s2")))
        #expect(!actions.contains { if case .startContainer("web", _, _) = $0 { true } else { false } })
        #expect(simulation.status.phase == "Pending")
    }

    @Test func `one that cannot be made says why and is tried again`() {
        var simulation = Simulation(pod())
        simulation.settle()
        simulation.machine.update(Self.added("d", to: pod()), at: simulation.now)
        let start = PodAction.startContainer(name: "d", attempt: 0, sandboxID: "s2")
        #expect(simulation.begin() == [start])
        simulation.finish(start, failing: PodActionFailure(reason: "ErrImagePull", message: "no such image"))
        #expect(status("d", &simulation)?.state?.waiting?.reason == "ErrImagePull")
        #expect(simulation.begin() == [])
        simulation.wait(60)
        #expect(simulation.settle() == [start])
    }

    @Test func `one that has run does not come back with a new sandbox or a new life of the node`() throws {
        var simulation = Simulation(Self.added("d", to: pod()))
        simulation.settle()
        simulation.exit("d", code: 0)
        simulation.settle()
        var known = Self.added("d", to: pod())
        known.status = simulation.status
        var later = Simulation(known)
        let actions = later.settle()
        #expect(actions.contains(.createSandbox(attempt: 0)))
        #expect(!actions.contains { if case .startContainer("d", _, _) = $0 { true } else { false } })
        #expect(status("d", &later)?.state?.terminated?.exitCode == 0)
    }

    @Test func `a pod that ends takes it along`() {
        var object = Self.added("d", to: pod(restartPolicy: "Never"))
        var simulation = Simulation(object)
        simulation.settle()
        simulation.exit("web", code: 0)
        #expect(simulation.status.phase == "Succeeded")
        let stopped = simulation.settle()
        #expect(stopped.contains { if case .stopContainer(_, "d", _, _) = $0 { true } else { false } })
        object.metadata.deletionTimestamp = "2024-01-01T00:00:00Z"
        simulation.machine.update(object, at: simulation.now)
        #expect(simulation.settle().last == .finishDeletion)
    }
}
