import APIServer
import Addresses
import Foundation
import JSON
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing

@Suite("Objects from creation to removal", .serialized)
struct LifecycleTests {
    private static let pods = "/api/v1/namespaces/default/pods"
    private static let maps = "/api/v1/namespaces/default/configmaps"

    @Test("Stale versions conflict, finalizers keep objects, dry runs leave nothing")
    func updates() async throws {
        try await ServerHarness.run { server in
            let object: JSONValue = [
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": ["name": "a", "finalizers": ["example.com/keep"]],
            ]
            let dry = try await server.send("POST", Self.maps + "?dryRun=All", object)
            #expect(dry.code == 201)
            #expect(try await server.send("GET", Self.maps + "/a").code == 404)
            var stale = try await server.send("POST", Self.maps, object).json
            #expect(
                try await server.send(
                    "PATCH", Self.maps + "/a", [["op": "add", "path": "/data", "value": ["k": "v"]]],
                    type: "application/json-patch+json"
                ).code == 200)
            stale.set("w", at: "data", "k")
            let conflict = try await server.send("PUT", Self.maps + "/a", stale)
            #expect(conflict.code == 409)
            #expect(conflict.json["reason"] == "Conflict")
            let pending = try await server.send("DELETE", Self.maps + "/a")
            #expect(pending.json.at("metadata", "deletionTimestamp") != nil)
            let added = try await server.send(
                "PATCH", Self.maps + "/a", ["metadata": ["finalizers": ["example.com/keep", "example.com/more"]]],
                type: "application/merge-patch+json")
            #expect(added.code == 422)
            _ = try await server.send(
                "PATCH", Self.maps + "/a", ["metadata": ["finalizers": nil]], type: "application/merge-patch+json")
            #expect(try await server.send("GET", Self.maps + "/a").code == 404)
        }
    }

    @Test("A pod goes at once without a node, and with grace on one")
    func podDeletion() async throws {
        try await ServerHarness.run { server in
            let pod: JSONValue = [
                "apiVersion": "v1", "kind": "Pod", "metadata": ["name": "p"],
                "spec": ["containers": [["name": "c", "image": "i"]]],
            ]
            #expect(try await server.send("POST", Self.pods, pod).code == 201)
            #expect(try await server.send("DELETE", Self.pods + "/p").json["kind"] == "Pod")
            #expect(try await server.send("POST", Self.pods, pod).code == 201)
            let binding: JSONValue = [
                "apiVersion": "v1", "kind": "Binding", "metadata": ["name": "p"],
                "target": ["kind": "Node", "name": "n"],
            ]
            #expect(try await server.send("POST", Self.pods + "/p/binding", binding).code == 201)
            #expect(try await server.send("POST", Self.pods + "/p/binding", binding).code == 409)
            let list = try await server.send("GET", "/api/v1/pods?fieldSelector=spec.nodeName%3Dn")
            #expect(list.json["items"]?.array?.count == 1)
            let pending = try await server.send("DELETE", Self.pods + "/p")
            #expect(pending.json.at("metadata", "deletionGracePeriodSeconds") == 30)
            let options: JSONValue = ["kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0]
            #expect(try await server.send("DELETE", Self.pods + "/p", options).json.at("metadata", "name") == "p")
        }
    }

    @Test("A namespace ends when its finalizer does, and takes nothing new before")
    func namespaces() async throws {
        try await ServerHarness.run { server in
            let namespace: JSONValue = ["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": "n"]]
            #expect(try await server.send("POST", "/api/v1/namespaces", namespace).code == 201)
            var pending = try await server.send("DELETE", "/api/v1/namespaces/n").json
            #expect(pending.at("status", "phase") == "Terminating")
            let late = try await server.send(
                "POST", "/api/v1/namespaces/n/configmaps",
                ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "a"]])
            #expect(late.code == 403)
            #expect(late.json.at("details", "causes")?[0]?["reason"] == "NamespaceTerminating")
            pending.set([], at: "spec", "finalizers")
            #expect(try await server.send("PUT", "/api/v1/namespaces/n/finalize", pending).code == 200)
            #expect(try await server.send("GET", "/api/v1/namespaces/n").code == 404)
            let missing = try await server.send(
                "POST", "/api/v1/namespaces/n/configmaps",
                ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "a"]])
            #expect(missing.json["message"] == #"namespaces "n" not found"#)
        }
    }

    @Test("State, versions and cluster IPs survive a restart, and a watch resumes across it")
    func restart() async throws {
        let directory = NSTemporaryDirectory() + "dt-apiserver-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let service: JSONValue = [
            "apiVersion": "v1", "kind": "Service", "metadata": ["name": "s"],
            "spec": ["clusterIP": "10.96.0.77", "ports": [["port": 80]]],
        ]
        let services = "/api/v1/namespaces/default/services"
        try await ServerHarness.run(directory: directory) { server in
            let created = try await server.send("POST", services, service)
            #expect(created.code == 201, "\(created.text)")
        }
        try await ServerHarness.run(directory: directory) { server in
            let stored = try await server.send("GET", services + "/s").json
            #expect(stored.at("spec", "clusterIP") == "10.96.0.77")
            var other = service
            other.set("t", at: "metadata", "name")
            #expect(try await server.send("POST", services, other).code == 422, "The address is still taken")
            let events = try await server.send("GET", services + "?watch=true&timeoutSeconds=1&resourceVersion=4").text
            #expect(events.contains(#""name":"s""#))
        }
    }

    @Test("Two servers do not share a directory, and a damaged database is named")
    func directories() async throws {
        try await ServerHarness.run { server in
            let second = await #expect(throws: ConfigurationError.self) {
                try await Self.start(server.directory, port: 1)
            }
            #expect(second?.description.contains("another server uses the data directory") ?? false)
        }
        let directory = NSTemporaryDirectory() + "dt-apiserver-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try Data(repeating: 7, count: 10_000).write(to: URL(fileURLWithPath: directory + "/state.sqlite"))
        let damaged = await #expect(throws: ConfigurationError.self) { try await Self.start(directory, port: 1) }
        #expect(damaged?.description.contains("\(directory)/state.sqlite is damaged") ?? false)
    }

    @Test(
        "A server that ends leaves no connection open, those included that it has not looked at yet",
        .timeLimit(.minutes(1)))
    func connectionsOfAnEndedServer() async throws {
        let connections = Mutex<[any Channel]>([])
        try await ServerHarness.run { server in
            for _ in 0..<200 {
                let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                    .connect(host: "127.0.0.1", port: server.port).get()
                connections.withLock { $0.append(channel) }
            }
        }
        for connection in connections.withLock({ $0 }) {
            try await connection.closeFuture.get()
        }
    }

    @Test("A port in use is named")
    func portInUse() async throws {
        try await ServerHarness.run { server in
            let directory = server.directory + "-second"
            defer { try? FileManager.default.removeItem(atPath: directory) }
            let error = await #expect(throws: ConfigurationError.self) {
                try await Self.start(directory, port: server.port).run()
            }
            #expect(error?.description.contains("port \(server.port)") ?? false)
        }
    }

    @Test("Who shows no certificate sees health and version only")
    func authentication() async throws {
        try await ServerHarness.run { server in
            let stranger = server.withoutCredentials()
            let version = try await stranger.send("GET", "/version")
            #expect(version.json["gitVersion"] == "v1.33.0+duet")
            #expect(try await stranger.send("GET", "/readyz").code == 200)
            #expect(try await stranger.send("GET", "/api/v1/pods").code == 401)
            #expect(try await stranger.send("GET", "/api").code == 401)
        }
    }

    @discardableResult
    private static func start(_ directory: String, port: Int) async throws -> APIServer {
        try await APIServer(
            configuration: APIServerConfiguration(
                dataDirectory: directory, bindAddress: "::", securePort: port, advertiseAddresses: [],
                serviceClusterIPRanges: [IPPrefix("10.96.0.0/16")].compactMap(\.self)),
            logger: Logger(label: "test"))
    }
}
