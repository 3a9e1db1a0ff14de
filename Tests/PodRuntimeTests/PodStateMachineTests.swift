import Addresses
import KubernetesAPI
import PodRuntime
import Testing

/// Drives a machine as a worker does, with a runtime that does what it is told.
struct Simulation {
    var machine: PodStateMachine
    var runtime = RuntimePod()
    var now = Timestamp(seconds: 1_700_000_000)
    private var nextID = 0

    init(_ pod: Pod, nodeAddresses: [String] = ["192.0.2.1", "2001:db8::1"]) {
        machine = PodStateMachine(
            pod: pod, nodeAddresses: nodeAddresses.compactMap { IPAddress($0) }, now: now)
        machine.observe(runtime, at: now)
    }

    mutating func begin() -> [PodAction] { machine.actions(at: now) }

    mutating func wait(_ seconds: Int64) { now = now.advanced(bySeconds: seconds) }

    /// Ends an action, with its effect on the runtime.
    mutating func finish(_ action: PodAction, failing failure: PodActionFailure? = nil) {
        if failure == nil { apply(action) }
        machine.observe(runtime, at: now)
        machine.finished(action, failure.map { .failure($0) } ?? .success(()), at: now)
    }

    /// Performs actions until none is left; returns them in order.
    @discardableResult
    mutating func settle() -> [PodAction] {
        var all: [PodAction] = []
        while true {
            let actions = begin()
            guard !actions.isEmpty else { return all }
            all += actions
            for action in actions { finish(action) }
        }
    }

    /// Lets the running instance of a container end.
    mutating func exit(_ name: String, code: Int, after seconds: Int64 = 1) {
        wait(seconds)
        for index in runtime.containers.indices
        where runtime.containers[index].name == name && runtime.containers[index].state == .running {
            runtime.containers[index].state = .exited
            runtime.containers[index].exitCode = code
            runtime.containers[index].finishedAt = now
        }
        machine.observe(runtime, at: now)
    }

    private mutating func apply(_ action: PodAction) {
        nextID += 1
        switch action {
        case .createSandbox(let attempt):
            let addresses = ["2001:db8:1::2", "10.0.0.2"].compactMap { IPAddress($0) }
            runtime = RuntimePod(
                sandboxes: runtime.sandboxes + [
                    RuntimeSandbox(
                        id: "s\(nextID)", attempt: attempt, isReady: true, createdAt: now, addresses: addresses)
                ], containers: runtime.containers)
        case .startContainer(let name, let attempt, let sandboxID):
            runtime.containers.append(
                RuntimeContainer(
                    id: "c\(nextID)", sandboxID: sandboxID, name: name, attempt: attempt, state: .running,
                    createdAt: now, startedAt: now))
        case .stopContainer(let id, _, _, _):
            for index in runtime.containers.indices where runtime.containers[index].id == id {
                runtime.containers[index].state = .exited
                runtime.containers[index].exitCode = 143
                runtime.containers[index].finishedAt = now
            }
        case .removeContainer(let id, _, _):
            runtime.containers.removeAll { $0.id == id }
        case .stopSandbox(let id):
            for index in runtime.sandboxes.indices where runtime.sandboxes[index].id == id {
                runtime.sandboxes[index].isReady = false
            }
        case .removeSandbox(let id):
            runtime.sandboxes.removeAll { $0.id == id }
            runtime.containers.removeAll { $0.sandboxID == id }
        case .prepareVolumes, .reportBackOff, .finishDeletion:
            break
        }
    }

    var status: PodStatus {
        mutating get { machine.status(at: now) }
    }
}

func pod(
    _ containers: [Container] = [Container(name: "web", image: "web:1")], initContainers: [Container] = [],
    restartPolicy: String = "Always"
) -> Pod {
    Pod(
        metadata: ObjectMeta(name: "web", namespace: "default", uid: "u1"),
        spec: PodSpec(
            containers: containers, initContainers: initContainers.isEmpty ? nil : initContainers,
            restartPolicy: restartPolicy))
}

@Suite struct PodStateMachineTests {
    @Test func `a pod comes up, ready and with addresses of both families, the node's primary first`() {
        var simulation = Simulation(pod())
        #expect(simulation.begin() == [.prepareVolumes, .createSandbox(attempt: 0)])
        #expect(simulation.status.phase == "Pending")
        #expect(simulation.status.containerStatuses?[0].state?.waiting?.reason == "ContainerCreating")
        simulation.finish(.createSandbox(attempt: 0))
        #expect(simulation.begin() == [], "containers wait for the volumes")
        simulation.finish(.prepareVolumes)
        #expect(simulation.begin() == [.startContainer(name: "web", attempt: 0, sandboxID: "s1")])
        simulation.finish(.startContainer(name: "web", attempt: 0, sandboxID: "s1"))
        #expect(simulation.begin() == [])
        let status = simulation.status
        #expect(status.phase == "Running")
        #expect(status.conditions?.isTrue("Ready") == true)
        #expect(status.podIPs?.map(\.ip) == ["10.0.0.2", "2001:db8:1::2"])
        #expect(status.podIP == "10.0.0.2")
        #expect(status.hostIPs?.map(\.ip) == ["192.0.2.1", "2001:db8::1"])
        #expect(status.qosClass == "BestEffort")
    }

    @Test func `a node whose primary family is IPv6 puts IPv6 first`() {
        var simulation = Simulation(pod(), nodeAddresses: ["2001:db8::1", "192.0.2.1"])
        simulation.settle()
        #expect(simulation.status.podIPs?.map(\.ip) == ["2001:db8:1::2", "10.0.0.2"])
        #expect(simulation.status.hostIP == "2001:db8::1")
    }

    @Test func `a pod on the node's network has the node's addresses`() {
        var object = pod()
        object.spec?.hostNetwork = true
        var simulation = Simulation(object)
        simulation.settle()
        #expect(simulation.status.podIPs?.map(\.ip) == ["192.0.2.1", "2001:db8::1"])
    }

    @Test func `init containers run one after the other, before the others`() {
        var simulation = Simulation(
            pod(initContainers: [Container(name: "one"), Container(name: "two")]))
        simulation.settle()
        #expect(simulation.runtime.containers.map(\.name) == ["one"])
        #expect(simulation.status.containerStatuses?[0].state?.waiting?.reason == "PodInitializing")
        #expect(simulation.status.conditions?["Initialized"]?.reason == "ContainersNotInitialized")
        simulation.exit("one", code: 0)
        simulation.settle()
        #expect(simulation.runtime.containers.map(\.name) == ["one", "two"])
        simulation.exit("two", code: 0)
        simulation.settle()
        #expect(simulation.runtime.containers.map(\.name) == ["one", "two", "web"])
        #expect(simulation.status.conditions?.isTrue("Initialized") == true)
    }

    @Test func `an init container that fails is tried again, or ends the pod when it must not restart`() {
        var simulation = Simulation(pod(initContainers: [Container(name: "one")]))
        simulation.settle()
        simulation.exit("one", code: 1)
        #expect(simulation.begin() == [.startContainer(name: "one", attempt: 1, sandboxID: "s2")])

        simulation = Simulation(pod(initContainers: [Container(name: "one")], restartPolicy: "Never"))
        simulation.settle()
        simulation.exit("one", code: 1)
        #expect(simulation.begin() == [])
        #expect(simulation.status.phase == "Failed")
        #expect(simulation.begin() == [.stopSandbox(id: "s2")])
    }

    @Test func `a container that keeps failing restarts at once, then after 10, 20, 40 … 300 seconds`() {
        var simulation = Simulation(pod())
        simulation.settle()
        var delays: [Int64] = []
        for _ in 0..<8 {
            simulation.exit("web", code: 1)
            let end = simulation.now
            while simulation.runtime.containers.allSatisfy({ $0.state != .running }) {
                simulation.settle()
                if simulation.runtime.containers.contains(where: { $0.state == .running }) { break }
                #expect(simulation.status.containerStatuses?[0].state?.waiting?.reason == "CrashLoopBackOff")
                guard let wake = simulation.machine.wakeTime(after: simulation.now) else { return }
                simulation.now = wake
            }
            delays.append(simulation.now.seconds - end.seconds)
        }
        #expect(delays == [0, 10, 20, 40, 80, 160, 300, 300])
        #expect(simulation.status.containerStatuses?[0].restartCount == 8)
        #expect(simulation.status.containerStatuses?[0].lastState?.terminated?.exitCode == 1)
        #expect(simulation.runtime.containers.count == 2, "only the instance before the newest is kept")
    }

    @Test func `the back-off is told once for each wait`() {
        var simulation = Simulation(pod())
        simulation.settle()
        simulation.exit("web", code: 1)
        simulation.settle()
        simulation.exit("web", code: 1)
        #expect(simulation.settle() == [.reportBackOff(name: "web")])
        #expect(
            simulation.status.containerStatuses?[0].state?.waiting?.message
                == "back-off 10s restarting failed container=web pod=web_default(u1)")
        simulation.wait(5)
        #expect(simulation.begin() == [])
    }

    @Test func `an instance that ran ten minutes clears the back-off`() {
        var simulation = Simulation(pod())
        simulation.settle()
        for seconds in [1, 1, 600] as [Int64] {
            simulation.exit("web", code: 1, after: seconds)
            simulation.settle()
            simulation.wait(300)
            simulation.settle()
        }
        #expect(simulation.runtime.containers.contains { $0.attempt == 3 && $0.state == .running })
        simulation.exit("web", code: 1, after: 600)
        #expect(simulation.begin().contains(.startContainer(name: "web", attempt: 4, sandboxID: "s2")))
    }

    @Test(arguments: [
        ("Never", 0, "Succeeded"), ("Never", 3, "Failed"), ("OnFailure", 0, "Succeeded"), ("OnFailure", 3, "Running"),
        ("Always", 0, "Running"),
    ])
    func `the restart policy decides what an end means`(policy: String, code: Int, phase: String) {
        var simulation = Simulation(pod(restartPolicy: policy))
        simulation.settle()
        simulation.exit("web", code: code)
        #expect(simulation.status.phase == phase)
        let restarts = simulation.begin().contains {
            if case .startContainer = $0 { true } else { false }
        }
        #expect(restarts == (phase == "Running"))
    }

    @Test func `an image that cannot be pulled shows its error, then that it waits, and is tried again`() {
        var simulation = Simulation(pod())
        for action in simulation.begin() { simulation.finish(action) }
        let start = simulation.begin()
        #expect(start.count == 1)
        simulation.finish(start[0], failing: PodActionFailure(reason: "ErrImagePull", message: "no such image"))
        #expect(simulation.begin() == [])
        #expect(simulation.status.containerStatuses?[0].state?.waiting?.reason == "ErrImagePull")
        simulation.wait(3)
        #expect(simulation.status.containerStatuses?[0].state?.waiting?.reason == "ImagePullBackOff")
        #expect(simulation.begin() == [])
        simulation.wait(7)
        #expect(simulation.begin() == start)
    }

    @Test func `a sandbox that cannot be made is tried again with doubling delays`() {
        var simulation = Simulation(pod())
        var delays: [Int64] = []
        simulation.finish(.prepareVolumes)
        for _ in 0..<6 {
            #expect(simulation.begin().contains(.createSandbox(attempt: 0)))
            let failed = simulation.now
            simulation.finish(
                .createSandbox(attempt: 0), failing: PodActionFailure(reason: "CreatePodSandboxError", message: "no"))
            simulation.now = simulation.machine.wakeTime(after: simulation.now) ?? simulation.now
            delays.append(simulation.now.seconds - failed.seconds)
        }
        #expect(delays == [1, 2, 4, 8, 16, 30])
    }

    @Test func `what cannot be removed is tried again, not at once`() {
        var simulation = Simulation(pod())
        simulation.settle()
        simulation.machine.forget(at: simulation.now)
        guard let stop = simulation.begin().first else { return }
        simulation.finish(stop, failing: PodActionFailure(reason: "RuntimeError", message: "busy"))
        #expect(simulation.begin() == [])
        #expect(simulation.machine.wakeTime(after: simulation.now) == simulation.now.advanced(bySeconds: 1))
        simulation.wait(1)
        #expect(simulation.settle().last == .finishDeletion)
    }

    @Test func `a missing ConfigMap is looked for every five seconds`() {
        var simulation = Simulation(pod())
        for action in simulation.begin() { simulation.finish(action) }
        for _ in 0..<4 {
            let actions = simulation.begin()
            #expect(actions.count == 1)
            for action in actions {
                simulation.finish(
                    action, failing: PodActionFailure(reason: "CreateContainerConfigError", message: "not found"))
            }
            #expect(simulation.begin() == [])
            simulation.wait(5)
        }
    }

    @Test func `a sandbox that died is replaced, and the containers start in the new one`() {
        var simulation = Simulation(pod())
        simulation.settle()
        simulation.runtime.sandboxes[0].isReady = false
        simulation.exit("web", code: 137)
        let actions = simulation.settle()
        #expect(actions.contains(.createSandbox(attempt: 1)))
        #expect(actions.contains(.removeSandbox(id: "s2")))
        #expect(simulation.status.phase == "Running")
        #expect(simulation.status.containerStatuses?[0].restartCount == 1)
    }

    @Test func `deletion stops the containers in their time, then removes the sandbox, then the object`() {
        var simulation = Simulation(pod())
        simulation.settle()
        var object = simulation.machine.pod
        object.metadata.deletionTimestamp = "2023-11-14T22:13:20Z"
        object.metadata.deletionGracePeriodSeconds = 20
        simulation.machine.update(object, at: simulation.now)
        simulation.wait(5)
        let stop = PodAction.stopContainer(
            id: "c3", name: "web", gracePeriod: 15, cause: "Stopping container web")
        #expect(simulation.begin() == [stop])
        #expect(simulation.begin() == [])
        simulation.finish(stop)
        #expect(simulation.status.conditions?.isTrue("Ready") == false)
        #expect(simulation.begin() == [.removeSandbox(id: "s2")])
        simulation.finish(.removeSandbox(id: "s2"))
        #expect(simulation.begin() == [.finishDeletion])
        simulation.finish(.finishDeletion)
        #expect(simulation.machine.isGone)
    }

    @Test func `a pod deleted while its sandbox is made waits for it, then removes it`() {
        var simulation = Simulation(pod())
        #expect(simulation.begin() == [.prepareVolumes, .createSandbox(attempt: 0)])
        simulation.machine.forget(at: simulation.now)
        simulation.finish(.prepareVolumes)
        #expect(simulation.begin() == [])
        simulation.finish(.createSandbox(attempt: 0))
        #expect(simulation.settle() == [.removeSandbox(id: "s2"), .finishDeletion])
    }

    @Test func `a restarted node adopts what runs: nothing is started, nothing becomes unready`() {
        let probed = Container(
            name: "web", image: "web:1", readinessProbe: Probe(tcpSocket: TCPSocketAction(port: 80)))
        var first = Simulation(pod([probed]))
        first.settle()
        let key = ProbeKey(containerID: "c3", container: "web", kind: .readiness)
        #expect(first.status.conditions?.isTrue("Ready") == false)
        first.machine.probed(key, success: true)
        #expect(first.status.conditions?.isTrue("Ready") == true)
        var object = first.machine.pod
        object.status = first.status

        var second = Simulation(object)
        second.runtime = first.runtime
        second.machine.observe(second.runtime, at: second.now)
        #expect(second.begin() == [.prepareVolumes])
        #expect(second.status == object.status)
    }

    @Test func `a liveness probe that fails three times restarts the container`() {
        let probed = Container(
            name: "web", livenessProbe: Probe(tcpSocket: TCPSocketAction(port: 80), failureThreshold: 3))
        var simulation = Simulation(pod([probed]))
        simulation.settle()
        let key = ProbeKey(containerID: "c3", container: "web", kind: .liveness)
        #expect(simulation.machine.activeProbes.keys.contains(key))
        for _ in 0..<2 { simulation.machine.probed(key, success: false) }
        #expect(simulation.begin() == [])
        simulation.machine.probed(key, success: false)
        let actions = simulation.settle()
        guard case .stopContainer("c3", _, 30, let cause)? = actions.first else {
            Issue.record("\(actions)")
            return
        }
        #expect(cause == "Container web failed liveness probe, will be restarted")
        #expect(simulation.status.containerStatuses?[0].restartCount == 1)
    }

    @Test func `until the startup probe passes no other probe runs and the container is not ready`() {
        let probe = Probe(tcpSocket: TCPSocketAction(port: 80))
        var simulation = Simulation(
            pod([Container(name: "web", livenessProbe: probe, startupProbe: probe)]))
        simulation.settle()
        #expect(simulation.machine.activeProbes.keys.map(\.kind) == [.startup])
        #expect(simulation.status.containerStatuses?[0].started == false)
        simulation.machine.probed(
            ProbeKey(containerID: "c3", container: "web", kind: .startup), success: true)
        #expect(simulation.machine.activeProbes.keys.map(\.kind) == [.liveness])
        #expect(simulation.status.containerStatuses?[0].ready == true)
    }

    @Test func `conditions of others stay, and keep readiness back when the pod says so`() {
        var object = pod()
        object.spec?.readinessGates = [PodReadinessGate(conditionType: "example.com/gate")]
        var simulation = Simulation(object)
        simulation.settle()
        #expect(simulation.status.conditions?["Ready"]?.reason == "ReadinessGatesNotReady")
        object.status = PodStatus(conditions: [Condition(type: "example.com/gate", status: "True")])
        simulation.machine.update(object, at: simulation.now)
        #expect(simulation.status.conditions?.isTrue("Ready") == true)
        #expect(simulation.status.conditions?.isTrue("example.com/gate") == true)
    }
}
