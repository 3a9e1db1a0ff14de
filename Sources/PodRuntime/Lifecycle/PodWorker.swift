import CRI
import KubernetesAPI
import KubernetesClient
import Logging

/// Keeps one pod as its machine decides: performs the actions and publishes the status.
actor PodWorker {
    enum Input: Sendable {
        /// The object has changed.
        case changed(Pod)
        /// The object is gone from the API.
        case gone
        /// The runtime's objects of the pod have changed.
        case runtimeChanged
        /// A time that the machine asked for has come.
        case tick
        case finished(PodAction, Result<Void, PodActionFailure>)
        case probed(ProbeKey, HandlerFailure?)
    }

    let context: PodContext
    private(set) var machine: PodStateMachine
    /// Sends to ``run()``.
    nonisolated let inputs: AsyncStream<Input>.Continuation
    private let stream: AsyncStream<Input>
    private let publisher: StatusPublisher
    private var logger: Logger
    private var probing: Set<ProbeKey> = []
    private var nextTick: Timestamp?
    private var sandboxes: [String: Runtime_V1_PodSandboxConfig] = [:]
    private var volumeVersion = 0

    init(pod: Pod, context: PodContext) {
        self.context = context
        machine = PodStateMachine(pod: pod, nodeAddresses: context.nodeAddresses, now: .now)
        (stream, inputs) = AsyncStream.makeStream()
        publisher = StatusPublisher(client: context.client, logger: context.logger)
        logger = context.logger
        logger[metadataKey: "pod"] = "\(pod.namespace)/\(pod.name)"
    }

    var pod: Pod { machine.pod }

    /// The newest instance of a container, or the one before it.
    func instance(of container: String, previous: Bool) -> RuntimeContainer? {
        machine.runtime.instances(of: container).dropFirst(previous ? 1 : 0).first
    }

    /// Why a container has no instance yet.
    func waitingReason(of container: String) -> String? {
        let status = podWithStatus.status
        return status?.allContainerStatuses.first { $0.name == container }?.state?.waiting?.reason
    }

    /// Instances that write to logs now.
    var running: [RuntimeContainer] { machine.runtime.containers.filter { $0.state == .running } }

    /// Runs until the pod is gone or the task is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.publisher.run() }
            inputs.yield(.runtimeChanged)
            for await input in stream {
                await handle(input)
                if machine.isGone { break }
                for action in machine.actions(at: .now) {
                    group.addTask {
                        let result = await self.perform(action)
                        self.inputs.yield(.finished(action, result))
                    }
                }
                publish()
                for (key, probe) in machine.activeProbes where probing.insert(key).inserted {
                    group.addTask { await self.repeatProbe(key, probe) }
                }
                if let wake = machine.wakeTime(after: .now), nextTick.map({ wake < $0 || $0 <= .now }) ?? true {
                    nextTick = wake
                    group.addTask { await self.tick(at: wake) }
                }
            }
            group.cancelAll()
        }
    }

    private func handle(_ input: Input) async {
        switch input {
        case .changed(let pod):
            machine.update(pod, at: .now)
        case .gone:
            machine.forget(at: .now)
        case .tick:
            break
        case .probed(let key, let failure):
            machine.probed(key, success: failure == nil)
        case .runtimeChanged:
            await observe()
        case .finished(let action, let result):
            if case .failure(let failure) = result {
                logger.info("\(action): \(failure.reason): \(failure.message)")
            }
            // The machine may decide only with what the runtime has after the action's end.
            if case .finishDeletion = action {} else { await observe() }
            machine.finished(action, result, at: .now)
        }
    }

    private func observe() async {
        let known = Dictionary(machine.runtime.containers.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
        while !Task.isCancelled {
            do throws(RuntimeError) {
                var seen = try await context.runtime.observe(podUID: machine.pod.metadata.uid ?? "", known: known)
                for index in seen.containers.indices where seen.containers[index].state == .exited {
                    addLastWords(&seen.containers[index])
                }
                machine.observe(seen, at: .now)
                return
            } catch {
                logger.warning("cannot see the pod's containers: \(error)")
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }

    /// The termination message of an ended instance is what it wrote to its file, or the end of its log.
    private func addLastWords(_ instance: inout RuntimeContainer) {
        guard instance.message.isEmpty,
            let container = machine.spec.allContainers.first(where: { $0.name == instance.name })
        else { return }
        instance.message = TerminationMessage.read(
            container, attempt: instance.attempt, failed: instance.exitCode != 0,
            directories: context.directories(of: machine.pod))
    }

    private func publish() {
        guard machine.isObserved, !machine.isForgotten else { return }
        var pod = machine.pod
        pod.status = machine.status(at: .now)
        publisher.publish(pod)
    }

    private func tick(at time: Timestamp) async {
        let delay = max(0, time.seconds(since: .now)) + 0.005
        guard (try? await Task.sleep(for: .seconds(delay))) != nil else { return }
        inputs.yield(.tick)
    }

    private func repeatProbe(_ key: ProbeKey, _ probe: Probe) async {
        let period = max(1, probe.periodSeconds ?? 10)
        var wait = Double(probe.initialDelaySeconds ?? 0)
        while (try? await Task.sleep(for: .seconds(wait))) != nil, machine.activeProbes[key] != nil {
            guard let container = machine.spec.containers.first(where: { $0.name == key.container }) else { break }
            let pod = podWithStatus
            var failure: HandlerFailure?
            do throws(HandlerFailure) {
                try await HandlerRunner(context: context, pod: pod).run(probe, container, key.containerID)
            } catch {
                failure = error
            }
            guard machine.activeProbes[key] != nil else { break }
            if let failure {
                PodReporter(pod: pod, events: context.events).report(
                    container, "Unhealthy", "\(key.kind.rawValue) probe failed: \(failure.message)", isWarning: true)
            }
            inputs.yield(.probed(key, failure))
            wait = Double(period)
        }
        probing.remove(key)
    }

    /// The pod with the status that the node would publish now, addresses included.
    var podWithStatus: Pod {
        var machine = machine
        var pod = machine.pod
        pod.status = machine.status(at: .now)
        return pod
    }
}

// MARK: Actions

extension PodWorker {
    private func perform(_ action: PodAction) async -> Result<Void, PodActionFailure> {
        let pod = podWithStatus
        let reporter = PodReporter(pod: pod, events: context.events)
        do throws(PodActionFailure) {
            switch action {
            case .prepareVolumes:
                volumeVersion += 1
                try await VolumePreparation(context: context, pod: pod).prepare(version: volumeVersion)
            case .createSandbox(let attempt):
                try await createSandbox(attempt, pod)
            case .stopSandbox(let id):
                try await runtimeCall { () async throws(RuntimeError) in
                    try await self.context.runtime.stopSandbox(id)
                }
            case .removeSandbox(let id):
                try await runtimeCall { () async throws(RuntimeError) in
                    try await self.context.runtime.stopSandbox(id)
                    try await self.context.runtime.removeSandbox(id)
                }
                sandboxes[id] = nil
            case .startContainer(let name, let attempt, let sandboxID):
                guard let container = machine.spec.allContainers.first(where: { $0.name == name }) else { break }
                let configuration = sandboxes[sandboxID] ?? sandboxConfiguration(pod).message(attempt: 0)
                let starter = ContainerStarter(
                    context: context, pod: pod, sandboxID: sandboxID, sandbox: configuration,
                    running: Dictionary(running.map { ($0.name, $0.id) }, uniquingKeysWith: { $1 }))
                try await starter.start(container, attempt: attempt)
            case .stopContainer(let id, let name, let gracePeriod, let cause):
                try await stop(id, name, gracePeriod: gracePeriod, cause, pod)
            case .removeContainer(let id, let name, let attempt):
                try await runtimeCall { () async throws(RuntimeError) in
                    try await self.context.runtime.removeContainer(id)
                }
                context.directories(of: pod).removeLogs(container: name, attempt: attempt)
            case .reportBackOff(let name):
                guard let container = machine.spec.allContainers.first(where: { $0.name == name }) else { break }
                reporter.report(
                    container, "BackOff", "B\(machine.backOffMessage(name).dropFirst())", isWarning: true)
            case .finishDeletion:
                try await finishDeletion(pod)
            }
            return .success(())
        } catch {
            return .failure(error)
        }
    }

    /// Brings the files of volumes up to date with their objects.
    func refreshVolumes() async {
        let pod = podWithStatus
        guard machine.volumes.isDone, !machine.isEnding, VolumePreparation.mayChange(pod) else { return }
        volumeVersion += 1
        do throws(PodActionFailure) {
            try await VolumePreparation(context: context, pod: pod).prepare(version: volumeVersion)
        } catch {
            logger.info("cannot update volumes: \(error.message)")
        }
    }

    private func createSandbox(_ attempt: Int, _ pod: Pod) async throws(PodActionFailure) {
        let configuration = sandboxConfiguration(pod).message(attempt: attempt)
        do throws(RuntimeError) {
            sandboxes[try await context.networks.runSandbox(configuration)] = configuration
        } catch {
            let message = "Failed to create pod sandbox: \(error.message)"
            PodReporter(pod: pod, events: context.events).report("FailedCreatePodSandBox", message, isWarning: true)
            throw PodActionFailure(reason: "CreatePodSandboxError", message: message)
        }
    }

    private func sandboxConfiguration(_ pod: Pod) -> SandboxConfiguration {
        let spec = pod.spec ?? PodSpec()
        let domain = context.configuration.clusterDomain
        let (resolver, omission) = ResolverConfiguration.forPod(
            spec, namespace: pod.namespace, clusterServers: context.clusterDNS, clusterDomain: domain,
            node: .read(context.configuration.resolvConfPath))
        if let omission {
            PodReporter(pod: pod, events: context.events).report("DNSConfigForming", omission, isWarning: true)
        }
        var hostname = spec.hostname ?? String(pod.name.prefix(63))
        if spec.hostNetwork == true {
            // The pod shares the node's host name too, which the runtime refuses to set.
            hostname = ""
        } else if spec.setHostnameAsFQDN == true, let subdomain = spec.subdomain {
            hostname += ".\(subdomain).\(pod.namespace).svc.\(domain)"
        }
        return SandboxConfiguration(
            pod: pod, logDirectory: context.directories(of: pod).logs,
            cgroupParent: PodCgroup(pod: pod, parent: context.configuration.cgroupParent).path,
            hostname: hostname, resolver: resolver)
    }

    private func stop(
        _ id: String, _ name: String, gracePeriod: Int, _ cause: String, _ pod: Pod
    ) async throws(PodActionFailure) {
        var left = gracePeriod
        if let container = machine.spec.allContainers.first(where: { $0.name == name }) {
            let reporter = PodReporter(pod: pod, events: context.events)
            reporter.report(container, "Killing", cause)
            if let hook = container.lifecycle?.preStop {
                let start = ContinuousClock.now
                await runPreStop(hook, container, id, seconds: gracePeriod, reporter)
                // A hook that used up the grace period leaves the process two seconds to end.
                left = max(2, gracePeriod - Int((ContinuousClock.now - start) / .seconds(1)))
            }
        }
        try await runtimeCall { () async throws(RuntimeError) in
            try await self.context.runtime.stopContainer(id, gracePeriod: left)
        }
    }

    private func runPreStop(
        _ hook: LifecycleHandler, _ container: Container, _ id: String, seconds: Int, _ reporter: PodReporter
    ) async {
        let runner = HandlerRunner(context: context, pod: reporter.pod)
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                do throws(HandlerFailure) {
                    try await runner.run(hook, container, id)
                } catch {
                    guard !Task.isCancelled else { return }
                    reporter.report(
                        container, "FailedPreStopHook", "PreStopHook failed: \(error.message)", isWarning: true)
                }
            }
            group.addTask { try? await Task.sleep(for: .seconds(seconds)) }
            await group.next()
            group.cancelAll()
        }
    }

    private func finishDeletion(_ pod: Pod) async throws(PodActionFailure) {
        do {
            try PodVolumes(directories: context.directories(of: pod)).removeAll()
            context.tokens.remove(pod: pod.metadata.uid ?? "")
            PodCgroup(pod: pod, parent: context.configuration.cgroupParent).remove()
            guard !machine.isForgotten else { return }
            await publisher.finish()
            try await context.client.delete(
                Pod.self, namespace: pod.namespace, name: pod.name, gracePeriodSeconds: 0,
                uidPrecondition: pod.metadata.uid)
        } catch let error as StatusError where error.code == 404 || error.code == 409 {
            // Gone already, or another pod has its name.
            return
        } catch {
            throw PodActionFailure(reason: "FailedKillPod", message: "cannot remove what the pod left: \(error)")
        }
    }

    private func runtimeCall(
        _ body: () async throws(RuntimeError) -> Void
    ) async throws(PodActionFailure) {
        do throws(RuntimeError) {
            try await body()
        } catch {
            throw PodActionFailure(reason: "RuntimeError", message: "\(error)")
        }
    }
}
