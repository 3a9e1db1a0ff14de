import CRI
import JSON
package import KubernetesAPI
import KubernetesClient
import Logging

/// Keeps the Node object and the node's lease up to date.
struct NodeReporter: Sendable {
    let builder: NodeObject
    let client: KubernetesClient
    let runtime: CRIRuntime
    let logger: Logger

    private var name: String { builder.configuration.nodeName }

    private static let leaseNamespace = "kube-node-lease"
    private static let leaseSeconds = 40
    private static let renewal = Duration.seconds(10)
    private static let fullReport = Duration.seconds(300)

    /// Registers the node, then reports until the task is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.renewLease() }
            group.addTask { await self.reportStatus() }
        }
    }

    /// Creates the Node object, or brings the labels of the present one up to date.
    private func register() async throws -> Node {
        do {
            let node = try await client.create(builder.new)
            logger.info("node \(name) is registered")
            return node
        } catch let error as StatusError where error.code == 409 {
            var labels: JSONValue = [:]
            for (key, value) in builder.labels { labels[key] = .string(value) }
            return try await client.patch(
                Node.self, namespace: nil, name: name, patch: ["metadata": ["labels": labels]])
        }
    }

    private func reportStatus() async {
        var conditions: [Condition]?
        var last: NodeStatus?
        var reported = ContinuousClock.now - Self.fullReport
        while !Task.isCancelled {
            do {
                if conditions == nil { conditions = try await register().status?.conditions ?? [] }
                let status = await status(replacing: conditions ?? [])
                let isDue = ContinuousClock.now - reported >= Self.fullReport
                if isDue || last.map({ !$0.equalsExceptTimes(status) }) ?? true {
                    try await write(status)
                    reported = .now
                    last = status
                    conditions = status.conditions
                }
            } catch {
                logger.warning("cannot report the node's status: \(error)")
                // The object may have been deleted: register it again.
                conditions = nil
                last = nil
                try? await Task.sleep(for: .seconds(1))
                continue
            }
            // The runtime says nothing by itself: a node that is not ready yet is asked often.
            let isReady = conditions?.isTrue("Ready") ?? false
            try? await Task.sleep(for: isReady ? Self.renewal : .milliseconds(200))
        }
    }

    private func status(replacing old: [Condition]) async -> NodeStatus {
        var builder = builder
        let conditions: Result<[NodeObject.RuntimeCondition], PodActionFailure>
        do throws(RuntimeError) {
            let version = try await runtime.version()
            builder = builder.with(runtimeVersion: "\(version.name)://\(version.version)")
            conditions = .success(
                try await runtime.conditions().map {
                    NodeObject.RuntimeCondition(
                        type: $0.type, isTrue: $0.status, reason: $0.reason, message: $0.message)
                })
        } catch {
            conditions = .failure(PodActionFailure(reason: "RuntimeError", message: "\(error)"))
        }
        return builder.status(runtime: conditions, replacing: old, at: .now)
    }

    private func write(_ status: NodeStatus) async throws {
        let patch: JSONValue = ["status": try JSONValueEncoder().encode(status)]
        try await client.patch(Node.self, namespace: nil, name: name, subresource: "status", patch: patch)
    }

    private func renewLease() async {
        var exists = false
        while !Task.isCancelled {
            var delay = Self.renewal
            do {
                try await renewOnce(&exists)
            } catch {
                logger.warning("cannot renew the node's lease: \(error)")
                exists = false
                delay = .seconds(1)
            }
            try? await Task.sleep(for: delay)
        }
    }

    private func renewOnce(_ exists: inout Bool) async throws {
        let time = Timestamp.now.microText
        if !exists {
            let spec = LeaseSpec(
                holderIdentity: name, leaseDurationSeconds: Self.leaseSeconds, renewTime: time)
            do {
                try await client.create(
                    Lease(metadata: ObjectMeta(name: name, namespace: Self.leaseNamespace), spec: spec))
                exists = true
                return
            } catch let error as StatusError where error.code == 409 {
                exists = true
            }
        }
        let patch: JSONValue = ["spec": ["holderIdentity": .string(name), "renewTime": .string(time)]]
        try await client.patch(Lease.self, namespace: Self.leaseNamespace, name: name, patch: patch)
    }
}

extension NodeObject {
    fileprivate func with(runtimeVersion: String) -> NodeObject {
        var facts = facts
        facts.system.containerRuntimeVersion = runtimeVersion
        return NodeObject(configuration: configuration, addresses: addresses, facts: facts)
    }
}

extension NodeStatus {
    /// Whether two reports differ in anything but the times of their conditions.
    package func equalsExceptTimes(_ other: NodeStatus) -> Bool {
        withoutTimes == other.withoutTimes
    }

    private var withoutTimes: NodeStatus {
        var copy = self
        copy.conditions = conditions?.map {
            Condition(type: $0.type, status: $0.status, reason: $0.reason, message: $0.message)
        }
        return copy
    }
}
