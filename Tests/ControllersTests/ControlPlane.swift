import APIServer
import Addresses
import Controllers
import Foundation
import JSON
import KubernetesAPI
import KubernetesClient
import Logging
import TestSupport
import Testing

/// An API server and the controllers in this process, with nodes whose pods only pretend to run.
struct ControlPlane: Sendable {
    let client: KubernetesClient

    /// Runs `body` with a control plane that is stopped and whose directory is removed afterwards.
    static func run(
        clusterCIDRs: [String] = ["10.244.0.0/16", "fd00:10:244::/56"], blockReturnSeconds: Int = 60,
        _ body: @escaping @Sendable (ControlPlane) async throws -> Void
    ) async throws {
        let directory = NSTemporaryDirectory() + "dt-controllers-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var logger = Logger(label: "test")
        logger.logLevel = .warning
        let services = ["10.96.0.0/16", "fd00:10:96::/112"].compactMap { IPPrefix($0) }
        let port = FreePort.next()
        let server = try await APIServer(
            configuration: APIServerConfiguration(
                dataDirectory: directory, bindAddress: "::", securePort: port,
                advertiseAddresses: ["127.0.0.1", "::1"].compactMap { IPAddress($0) },
                serviceClusterIPRanges: services),
            logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            #expect(await server.waitUntilListening())
            let client = try KubernetesClient(
                configuration: ClientConfiguration(kubeconfigPath: directory + "/admin.kubeconfig"), userAgent: "test")
            // The controllers may do what their own role says, no more.
            let path = directory + "/controllers.kubeconfig"
            try ClusterPKI(dataDirectory: directory).issueKubeconfig(
                user: ClusterPKI.controllers, groups: [], serverURL: "https://127.0.0.1:\(port)"
            ).write(toFile: path, atomically: true, encoding: .utf8)
            let own = try KubernetesClient(
                configuration: ClientConfiguration(kubeconfigPath: path), userAgent: "test")
            let configuration = ControllerConfiguration(
                clusterCIDRs: clusterCIDRs.compactMap { IPPrefix($0) }, serviceClusterIPRanges: services,
                blockReturnSeconds: blockReturnSeconds)
            let manager = try ControllerManager(client: own, configuration: configuration, logger: logger)
            group.addTask { try await manager.run() }
            group.addTask { try await PretendingNodes(client: client).run() }
            do {
                try await body(ControlPlane(client: client))
            } catch {
                group.cancelAll()
                await client.shutdown()
                await own.shutdown()
                throw error
            }
            group.cancelAll()
            while let result = await group.nextResult() {
                if case .failure(let error) = result, !(error is CancellationError) {
                    Issue.record("\(error)")
                }
            }
            await client.shutdown()
            await own.shutdown()
        }
    }

    /// Waits until a condition holds; errors of the server count as not yet.
    func eventually(
        _ what: String, within limit: Duration = .seconds(60), at location: SourceLocation = #_sourceLocation,
        _ condition: () async throws -> Bool
    ) async throws {
        let end = ContinuousClock.now + limit
        var last = ""
        while ContinuousClock.now < end {
            do {
                if try await condition() {
                    return
                }
            } catch let error as StatusError {
                last = error.message
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        Issue.record("not within \(limit): \(what) \(last)", sourceLocation: location)
        throw CancellationError()
    }

    /// Registers a node that is ready and has room.
    func addNode(_ name: String) async throws {
        var object = node(name)
        object.metadata = ObjectMeta(name: name, labels: [WellKnownLabel.hostname: name])
        try await client.create(object)
        let _: Node = try await client.patch(
            Node.self, namespace: nil, name: name, subresource: "status",
            patch: ["status": try object.json()["status"] ?? .null])
    }
}

/// Takes pods to Running as soon as they are bound, and away as soon as they are deleted.
private struct PretendingNodes: Sendable {
    let client: KubernetesClient

    func run() async throws {
        let informer = Informer<Pod>(client: client)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await informer.run() }
            group.addTask {
                var number = 0
                for await event in informer.events() {
                    switch event {
                    case .added(let pod), .updated(_, let pod):
                        number += 1
                        try? await follow(pod, number)
                    case .deleted, .synced:
                        break
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private func follow(_ pod: Pod, _ number: Int) async throws {
        guard pod.spec?.nodeName != nil else { return }
        if pod.isBeingDeleted {
            try await client.delete(Pod.self, namespace: pod.namespace, name: pod.name, gracePeriodSeconds: 0)
        } else if pod.status?.podIP == nil {
            let now = Timestamp(seconds: Int64(Date().timeIntervalSince1970))
            let suffix = String(number, radix: 16)
            let addresses: [String] = ["10.244.0.\(number)", "fd00:10:244::\(suffix)"]
            let ready: JSONValue = [
                "type": "Ready", "status": "True", "lastTransitionTime": .string("\(now)"),
            ]
            let ips = addresses.map { (address: String) -> JSONValue in ["ip": .string(address)] }
            let status: JSONValue = [
                "phase": "Running", "podIP": .string(addresses[0]), "podIPs": .array(ips), "conditions": [ready],
            ]
            let _: Pod = try await client.patch(
                Pod.self, namespace: pod.namespace, name: pod.name, subresource: "status", patch: ["status": status],
                type: .strategic)
        }
    }
}
