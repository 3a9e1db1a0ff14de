import KubernetesAPI
import KubernetesClient
import Linux
import Logging

/// Has a worker for each pod of the node, and for each pod that only the runtime still knows.
actor PodManager {
    private let context: PodContext
    private var workers: [String: PodWorker] = [:]
    private var inventory: [String: RuntimeInventory] = [:]

    init(context: PodContext) {
        self.context = context
    }

    /// All pods, with their status as the node sees it.
    func pods() async -> [Pod] {
        var pods: [Pod] = []
        for worker in workers.values {
            pods.append(await worker.podWithStatus)
        }
        return pods.sorted { ($0.namespace, $0.name) < ($1.namespace, $1.name) }
    }

    /// The worker of a pod.
    func worker(namespace: String, name: String) async -> PodWorker? {
        for worker in workers.values {
            let pod = await worker.pod
            if pod.namespace == namespace, pod.name == name { return worker }
        }
        return nil
    }

    /// Follows the API and the runtime until the task is cancelled.
    func run(pods: Informer<Pod>) async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.watchRuntime() }
            group.addTask { await self.maintain() }
            for await event in pods.events() {
                switch event {
                case .added(let pod):
                    add(pod, to: &group)
                case .updated(let old, let new):
                    if old.metadata.uid != new.metadata.uid { remove(old) }
                    add(new, to: &group)
                case .deleted(let pod):
                    remove(pod)
                case .synced:
                    await adoptOrphans(&group)
                }
            }
            group.cancelAll()
        }
    }

    private func add(_ pod: Pod, to group: inout DiscardingTaskGroup) {
        let uid = pod.metadata.uid ?? ""
        if let worker = workers[uid] {
            worker.inputs.yield(.changed(pod))
        } else {
            start(pod, uid, in: &group)
        }
    }

    private func remove(_ pod: Pod) {
        guard let worker = workers[pod.metadata.uid ?? ""] else { return }
        worker.inputs.yield(.changed(pod))
        worker.inputs.yield(.gone)
    }

    private func start(_ pod: Pod, _ uid: String, in group: inout DiscardingTaskGroup) {
        let worker = PodWorker(pod: pod, context: context)
        workers[uid] = worker
        group.addTask {
            await worker.run()
            await self.ended(uid, worker)
        }
    }

    private func ended(_ uid: String, _ worker: PodWorker) {
        if workers[uid] === worker { workers[uid] = nil }
    }

    /// Ends the pods that the runtime or the disk has and the API has not.
    private func adoptOrphans(_ group: inout DiscardingTaskGroup) async {
        var orphans: [String: RuntimeInventory] = [:]
        while !Task.isCancelled {
            do throws(RuntimeError) {
                orphans = try await context.runtime.inventory()
                break
            } catch {
                context.logger.warning("cannot list the runtime's pods: \(error)")
                try? await Task.sleep(for: .seconds(1))
            }
        }
        let onDisk = (try? FileSystem.list("\(context.configuration.rootDirectory)/pods")) ?? []
        for uid in Set(orphans.keys).union(onDisk) where workers[uid] == nil {
            let known = orphans[uid]
            context.logger.info("ending pod \(known?.namespace ?? "")/\(known?.name ?? uid), which is not in the API")
            let pod = Pod(metadata: ObjectMeta(name: known?.name, namespace: known?.namespace, uid: uid))
            start(pod, uid, in: &group)
            workers[uid]?.inputs.yield(.gone)
        }
    }

    /// Tells workers when the runtime's objects of their pods change: containerd 1.6 has no events for that.
    private func watchRuntime() async {
        while (try? await Task.sleep(for: .seconds(1))) != nil {
            guard let now = try? await context.runtime.inventory() else { continue }
            for (uid, worker) in workers where inventory[uid] != now[uid] {
                worker.inputs.yield(.runtimeChanged)
            }
            inventory = now
        }
    }

    /// Brings volumes up to date once a minute, and rotates logs.
    private func maintain() async {
        let rotation = LogRotation(limit: 10 << 20, count: 5)
        var round = 0
        while (try? await Task.sleep(for: .seconds(10))) != nil {
            round += 1
            for worker in workers.values {
                if round.isMultiple(of: 6) { await worker.refreshVolumes() }
                let directories = context.directories(of: await worker.pod)
                for instance in await worker.running {
                    let path = directories.log(container: instance.name, attempt: instance.attempt)
                    do {
                        try await rotation.rotate(path, containerID: instance.id, runtime: context.runtime)
                    } catch {
                        context.logger.warning("cannot rotate \(path): \(error)")
                    }
                }
            }
        }
    }
}
