package import Addresses
package import KubernetesAPI

extension PodStateMachine {
    /// Seconds during which a failed pull shows its error, before the status says that it waits for the next.
    static let pullErrorSeconds: Int64 = 3

    /// Desired state; a pod without any has no containers.
    package var spec: PodSpec { pod.spec ?? PodSpec() }

    var restartPolicy: String { spec.restartPolicy ?? "Always" }

    /// True when an ended container stays ended.
    func isFinal(_ instance: RuntimeContainer?, isInit: Bool) -> Bool {
        guard let instance, instance.hasEnded else { return false }
        switch restartPolicy {
        case "Never": return true
        case "OnFailure": return instance.succeeded
        default: return isInit && instance.succeeded
        }
    }

    /// True when all init containers have succeeded in a sandbox, or a container already runs in it.
    func isInitialized(_ sandbox: RuntimeSandbox) -> Bool {
        let names = Set(spec.containers.map(\.name))
        if runtime.containers.contains(where: { names.contains($0.name) && $0.sandboxID == sandbox.id }) {
            return true
        }
        return (spec.initContainers ?? []).allSatisfy { container in
            guard let latest = runtime.instances(of: container.name).first else { return false }
            return latest.sandboxID == sandbox.id && latest.state == .exited && latest.succeeded
        }
    }

    func runningInstance(of name: String) -> RuntimeContainer? {
        guard let latest = runtime.instances(of: name).first, latest.state == .running else { return nil }
        return latest
    }

    func hasStarted(_ container: Container, _ instance: RuntimeContainer) -> Bool {
        guard container.startupProbe != nil else { return true }
        return probes[ProbeKey(containerID: instance.id, container: container.name, kind: .startup)]?.passes ?? false
    }

    func isReady(_ container: Container, _ instance: RuntimeContainer) -> Bool {
        guard hasStarted(container, instance) else { return false }
        guard container.readinessProbe != nil else { return true }
        return probes[ProbeKey(containerID: instance.id, container: container.name, kind: .readiness)]?.passes ?? false
    }

    /// The addresses of the pod: those of its sandbox with the node's primary family first, or the node's own.
    func podAddresses(_ found: [IPAddress]) -> [IPAddress] {
        guard spec.hostNetwork != true else { return addresses.isEmpty ? hostAddresses : addresses }
        return found.firstOfEachFamily(startingWith: nodeAddresses.first?.family)
    }

    /// The node's addresses, at most one of each family, primary first.
    var hostAddresses: [IPAddress] { nodeAddresses.firstOfEachFamily(startingWith: nodeAddresses.first?.family) }
}

extension RuntimeContainer {
    /// True when the instance ended with exit code 0.
    var succeeded: Bool { state == .exited && exitCode == 0 }
}

extension [IPAddress] {
    /// The first address of each family; those of `family` come first, the rest keeps its order.
    package func firstOfEachFamily(startingWith family: IPFamily?) -> [IPAddress] {
        var seen: Set<IPFamily> = []
        let chosen = filter { seen.insert($0.family).inserted }
        return chosen.filter { $0.family == family } + chosen.filter { $0.family != family }
    }
}
