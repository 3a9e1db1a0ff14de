import APIServer
import Addresses
import AsyncHTTPClient
import Foundation
import KubernetesAPI
import KubernetesClient
import Linux
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import PodRuntime
import TestSupport
import Testing

/// An API server in this process, a containerd of its own, and one node that runs pods with both.
///
/// containerd lives in a network namespace of its own; the node process does not, so it reaches pods by exec only.
struct NodeFixture: Sendable {
    let directory: String
    let client: KubernetesClient
    let configuration: NodeConfiguration
    let logger: Logger

    /// True where a containerd can be run.
    static var isPossible: Bool {
        getuid() == 0 && ["/usr/bin/containerd", "/usr/lib/cni/ptp"].allSatisfy { FileSystem.exists($0) }
    }

    /// Makes what the controllers make in a namespace, so that pods get their tokens; the server itself makes the account.
    private func prepareNamespace() async throws {
        let authority = try FileSystem.readText("\(directory)/server/pki/ca.crt")
        try await client.create(
            ConfigMap(
                metadata: ObjectMeta(name: "kube-root-ca.crt", namespace: "default"), data: ["ca.crt": authority]))
    }

    /// Runs `body` with a fixture, then removes everything that it made.
    static func run(_ body: @escaping @Sendable (NodeFixture) async throws -> Void) async throws {
        let directory = try FileSystem.makeTemporaryDirectory(prefix: "/tmp/dt-podruntime-")
        let name = String(directory.dropFirst("/tmp/".count))
        _ = try NetworkNamespace.create(name: name)
        defer {
            try? NetworkNamespace.delete(name: name)
            removeMounts(below: directory)
            try? FileSystem.removeTree(directory)
        }
        let containerd = try startContainerd(directory, namespace: name)
        defer { stop(containerd) }
        try importImages(directory)

        var logger = Logger(label: "test")
        logger.logLevel = ProcessInfo.processInfo.environment["DUET_TEST_LOG"] == nil ? .error : .info
        let port = FreePort.next()
        let server = try await APIServer(
            configuration: APIServerConfiguration(
                dataDirectory: "\(directory)/server", bindAddress: "127.0.0.1", securePort: port,
                advertiseAddresses: [IPAddress("127.0.0.1")].compactMap { $0 },
                serviceClusterIPRanges: ["10.96.0.0/16", "fd00:10:96::/112"].compactMap { IPPrefix($0) }),
            logger: logger)
        let kubeconfig = try ClusterPKI(dataDirectory: "\(directory)/server").issueKubeconfig(
            user: "system:node:node-1", groups: ["system:nodes"], serverURL: "https://127.0.0.1:\(port)",
            addresses: ["127.0.0.1", "::1"].compactMap { IPAddress($0) })
        try FileSystem.writeFile("\(directory)/node.kubeconfig", Array(kubeconfig.utf8), mode: 0o600)
        let configuration = NodeConfiguration(
            nodeName: "node-1", kubeconfigPath: "\(directory)/node.kubeconfig",
            criEndpoint: "unix://\(directory)/containerd.sock", rootDirectory: "\(directory)/node",
            nodeAddresses: ["192.0.2.1", "2001:db8::1"].compactMap { IPAddress($0) }, port: FreePort.next(),
            cgroupParent: "/\(name)")
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            #expect(await server.waitUntilListening())
            let client = try KubernetesClient(
                configuration: ClientConfiguration(kubeconfigPath: "\(directory)/server/admin.kubeconfig"),
                userAgent: "test")
            let fixture = NodeFixture(
                directory: directory, client: client, configuration: configuration, logger: logger)
            do {
                try await fixture.prepareNamespace()
                try await body(fixture)
            } catch {
                Issue.record(error)
            }
            try? await fixture.removePods()
            await client.shutdown()
            group.cancelAll()
            while await group.nextResult() != nil {}
        }
        removeCgroups(name)
    }

    /// Runs `body` while a node process runs.
    func withNode(_ body: @Sendable () async throws -> Void) async throws {
        let node = try PodNode(configuration: configuration, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await node.run() }
            defer { group.cancelAll() }
            try await body()
        }
    }

    /// Waits until `value` has something, and returns it.
    func eventually<Value: Sendable>(
        _ what: String, within limit: Duration = .seconds(60), at location: SourceLocation = #_sourceLocation,
        _ value: () async throws -> Value?
    ) async throws -> Value {
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end {
            if let found = try await value() { return found }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("not within \(limit): \(what)", sourceLocation: location)
        throw CancellationError()
    }

    /// The pod once its status is as wanted.
    func pod(
        _ name: String, at location: SourceLocation = #_sourceLocation, _ isWanted: (PodStatus) -> Bool
    ) async throws -> Pod {
        try await eventually("status of pod \(name)", at: location) {
            let pod = try await client.get(Pod.self, namespace: "default", name: name)
            return pod.status.flatMap { isWanted($0) ? pod : nil }
        }
    }

    /// Makes a pod that is bound to the node.
    @discardableResult
    func create(_ name: String, _ spec: PodSpec) async throws -> Pod {
        var spec = spec
        spec.nodeName = "node-1"
        return try await client.create(Pod(metadata: ObjectMeta(name: name, namespace: "default"), spec: spec))
    }

    /// What the node's own API answers.
    func ask(_ path: String, isPosting: Bool = false, withCertificate: Bool = true) async throws -> (UInt, String) {
        var tls = TLSConfiguration.makeClientConfiguration()
        let credentials = client.configuration
        tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(credentials.certificateAuthority ?? []))
        if withCertificate {
            tls.certificateChain = try NIOSSLCertificate.fromPEMBytes(credentials.clientCertificate ?? [])
                .map { .certificate($0) }
            tls.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: credentials.clientKey ?? [], format: .pem))
        }
        let http = HTTPClient(configuration: HTTPClient.Configuration(tlsConfiguration: tls))
        do {
            var request = HTTPClientRequest(url: "https://127.0.0.1:\(configuration.port)\(path)")
            request.method = isPosting ? .POST : .GET
            let response = try await http.execute(request, timeout: .seconds(10))
            let body = try await response.body.collect(upTo: 1 << 20)
            try await http.shutdown()
            return (response.status.code, String(buffer: body))
        } catch {
            try await http.shutdown()
            throw error
        }
    }

    private func removePods() async throws {
        let pods = try await client.list(Pod.self, namespace: "default").items
        guard !pods.isEmpty else { return }
        try await withNode {
            for pod in pods {
                try await client.delete(Pod.self, namespace: "default", name: pod.name, gracePeriodSeconds: 1)
            }
            _ = try await eventually("all pods gone") {
                try await client.list(Pod.self, namespace: "default").items.isEmpty ? true : nil
            }
        }
    }
}

extension NodeFixture {
    private static func startContainerd(_ directory: String, namespace: String) throws -> ChildProcess {
        try FileSystem.makeDirectory("\(directory)/cni")
        try FileSystem.writeFile("\(directory)/cni/10-test.conflist", Array(network(directory).utf8))
        let text = """
            version = 2
            root = "\(directory)/containerd/root"
            state = "\(directory)/containerd/state"
            disabled_plugins = ["io.containerd.internal.v1.opt"]
            [grpc]
              address = "\(directory)/containerd.sock"
            [ttrpc]
              address = "\(directory)/containerd.sock.ttrpc"
            [plugins."io.containerd.grpc.v1.cri"]
              sandbox_image = "localhost/duet/pause:1"
              disable_apparmor = true
              restrict_oom_score_adj = true
            [plugins."io.containerd.grpc.v1.cri".cni]
              bin_dir = "/usr/lib/cni"
              conf_dir = "\(directory)/cni"
            """
        try FileSystem.writeFile("\(directory)/containerd.toml", Array(text.utf8))
        var specification = ChildProcess.Specification(
            executable: "/usr/bin/containerd", arguments: ["--config", "\(directory)/containerd.toml"])
        specification.standardOutput = .file("\(directory)/containerd.log", append: true)
        specification.standardError = .file("\(directory)/containerd.log", append: true)
        specification.networkNamespace = NetworkNamespace.path(name: namespace)
        return try ChildProcess.spawn(specification)
    }

    private static func network(_ directory: String) -> String {
        """
        {"cniVersion": "0.4.0", "name": "test", "plugins": [{"type": "ptp", "ipam": {"type": "host-local",
          "dataDir": "\(directory)/ipam",
          "ranges": [[{"subnet": "10.244.7.0/24"}], [{"subnet": "fd00:10:244:7::/64"}]],
          "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]}}]}
        """
    }

    private static func importImages(_ directory: String) throws {
        let root = String(#filePath.split(separator: "/Tests/")[0])
        try command("\(root)/examples/images/build", ["\(root)/.build/images"])
        let end = ContinuousClock.now + .seconds(20)
        while !FileSystem.exists("\(directory)/containerd.sock"), ContinuousClock.now < end { usleep(20_000) }
        for image in ["pause", "busybox"] {
            try command(
                "ctr",
                [
                    "--address", "\(directory)/containerd.sock", "--namespace", "k8s.io", "images", "import",
                    "\(root)/.build/images/\(image).tar",
                ])
        }
    }

    private static func command(_ executable: String, _ arguments: [String]) throws {
        var specification = ChildProcess.Specification(executable: executable, arguments: arguments)
        specification.standardOutput = .null
        let status = try ChildProcess.spawn(specification).wait()
        try #require(status.isSuccess, "\(executable) \(arguments): \(status)")
    }

    private static func stop(_ containerd: ChildProcess) {
        try? containerd.signal(SIGTERM)
        _ = try? containerd.wait()
    }

    private static func removeMounts(below directory: String) {
        for mount in ((try? Mount.list()) ?? []).reversed() where mount.target.hasPrefix(directory + "/") {
            try? Mount.unmount(mount.target, lazily: true)
        }
    }

    private static func removeCgroups(_ name: String) {
        for mount in (try? Mount.list()) ?? [] where mount.type.hasPrefix("cgroup") {
            guard FileSystem.exists("\(mount.target)/\(name)") else { continue }
            #expect(throws: Never.self, "nothing is left in the control group") {
                try FileSystem.remove("\(mount.target)/\(name)")
            }
        }
    }
}
