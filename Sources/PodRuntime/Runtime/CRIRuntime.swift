package import CRI
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import NIOCore
import NIOPosix
import SwiftProtobuf

/// The container runtime of a node, reached through its socket.
package final class CRIRuntime: Sendable {
    private let client: GRPCClient<HTTP2ClientTransport.Posix>
    private let runtime: Runtime_V1_RuntimeService.Client<HTTP2ClientTransport.Posix>
    private let images: Runtime_V1_ImageService.Client<HTTP2ClientTransport.Posix>

    /// Prepares a client; nothing is sent before ``run()``.
    ///
    /// - Parameter endpoint: `unix:///run/containerd/containerd.sock` or the path alone.
    package init(endpoint: String) throws {
        let scheme = "unix://"
        let path = endpoint.hasPrefix(scheme) ? String(endpoint.dropFirst(scheme.count)) : endpoint
        var configuration = HTTP2ClientTransport.Posix.Config.defaults
        configuration.backoff.initial = .milliseconds(50)
        configuration.backoff.max = .seconds(1)
        configuration.connection.maxIdleTime = nil
        // Without it the socket's path, percent-encoded, becomes the authority, which containerd's server refuses.
        configuration.http2.authority = "localhost"
        configuration.channelDebuggingCallbacks.onCreateTCPConnection = { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(PingResponder(), position: .first)
            }
        }
        let transport = try HTTP2ClientTransport.Posix(
            target: .unixDomainSocket(path: path), transportSecurity: .plaintext, config: configuration,
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton.next())
        client = GRPCClient(transport: transport)
        runtime = Runtime_V1_RuntimeService.Client(wrapping: client)
        images = Runtime_V1_ImageService.Client(wrapping: client)
    }

    /// Keeps the connection until ``shutdown()``.
    package func run() async throws {
        try await client.runConnections()
    }

    /// Lets calls under way end, then ends ``run()``.
    package func shutdown() {
        client.beginGracefulShutdown()
    }

    // MARK: Runtime

    /// Name and version of the runtime, such as `containerd` and `1.6.20`.
    package func version() async throws(RuntimeError) -> (name: String, version: String) {
        let answer = try await call("Version", .seconds(10)) { options in
            try await self.runtime.version(Runtime_V1_VersionRequest(), options: options)
        }
        return (answer.runtimeName, answer.runtimeVersion)
    }

    /// The runtime's conditions: `RuntimeReady` and `NetworkReady`.
    package func conditions() async throws(RuntimeError) -> [Runtime_V1_RuntimeCondition] {
        try await call("Status", .seconds(10)) { options in
            try await self.runtime.status(Runtime_V1_StatusRequest(), options: options)
        }.status.conditions
    }

    // MARK: Sandboxes

    /// Makes and starts a sandbox, network included, and returns its id.
    package func runSandbox(_ configuration: Runtime_V1_PodSandboxConfig) async throws(RuntimeError) -> String {
        try await call("RunPodSandbox", .seconds(240)) { options in
            try await self.runtime.runPodSandbox(.with { $0.config = configuration }, options: options)
        }.podSandboxID
    }

    /// Ends everything in a sandbox and releases its addresses; a sandbox that is gone is no error.
    package func stopSandbox(_ id: String) async throws(RuntimeError) {
        try await ignoringAbsence { () async throws(RuntimeError) in
            _ = try await self.call("StopPodSandbox", .seconds(120)) { options in
                try await self.runtime.stopPodSandbox(.with { $0.podSandboxID = id }, options: options)
            }
        }
    }

    /// Removes a sandbox with its containers; a sandbox that is gone is no error.
    package func removeSandbox(_ id: String) async throws(RuntimeError) {
        try await ignoringAbsence { () async throws(RuntimeError) in
            _ = try await self.call("RemovePodSandbox", .seconds(120)) { options in
                try await self.runtime.removePodSandbox(.with { $0.podSandboxID = id }, options: options)
            }
        }
    }

    /// State and addresses of a sandbox; nil when it is gone.
    package func sandboxStatus(_ id: String) async throws(RuntimeError) -> Runtime_V1_PodSandboxStatus? {
        do throws(RuntimeError) {
            return try await call("PodSandboxStatus", .seconds(30)) { options in
                try await self.runtime.podSandboxStatus(.with { $0.podSandboxID = id }, options: options)
            }.status
        } catch  where error.isNotFound {
            return nil
        }
    }

    /// All sandboxes, or those with a label.
    package func sandboxes(labels: [String: String] = [:]) async throws(RuntimeError) -> [Runtime_V1_PodSandbox] {
        try await call("ListPodSandbox", .seconds(30)) { options in
            try await self.runtime.listPodSandbox(
                .with { $0.filter = .with { $0.labelSelector = labels } }, options: options)
        }.items
    }

    // MARK: Containers

    /// Makes an instance and returns its id.
    package func createContainer(
        sandbox id: String, _ configuration: Runtime_V1_ContainerConfig, sandbox: Runtime_V1_PodSandboxConfig
    ) async throws(RuntimeError) -> String {
        try await call("CreateContainer", .seconds(120)) { options in
            try await self.runtime.createContainer(
                .with {
                    $0.podSandboxID = id
                    $0.config = configuration
                    $0.sandboxConfig = sandbox
                }, options: options)
        }.containerID
    }

    /// Starts an instance.
    package func startContainer(_ id: String) async throws(RuntimeError) {
        _ = try await call("StartContainer", .seconds(120)) { options in
            try await self.runtime.startContainer(.with { $0.containerID = id }, options: options)
        }
    }

    /// Asks an instance to end, and forces it after so many seconds; an instance that is gone is no error.
    package func stopContainer(_ id: String, gracePeriod: Int) async throws(RuntimeError) {
        try await ignoringAbsence { () async throws(RuntimeError) in
            _ = try await self.call("StopContainer", .seconds(gracePeriod + 120)) { options in
                try await self.runtime.stopContainer(
                    .with {
                        $0.containerID = id
                        $0.timeout = Int64(gracePeriod)
                    }, options: options)
            }
        }
    }

    /// Removes an ended instance; an instance that is gone is no error.
    package func removeContainer(_ id: String) async throws(RuntimeError) {
        try await ignoringAbsence { () async throws(RuntimeError) in
            _ = try await self.call("RemoveContainer", .seconds(120)) { options in
                try await self.runtime.removeContainer(.with { $0.containerID = id }, options: options)
            }
        }
    }

    /// All instances, or those with a label.
    package func containers(labels: [String: String] = [:]) async throws(RuntimeError) -> [Runtime_V1_Container] {
        try await call("ListContainers", .seconds(30)) { options in
            try await self.runtime.listContainers(
                .with { $0.filter = .with { $0.labelSelector = labels } }, options: options)
        }.containers
    }

    /// State of an instance; nil when it is gone.
    package func containerStatus(_ id: String) async throws(RuntimeError) -> Runtime_V1_ContainerStatus? {
        do throws(RuntimeError) {
            return try await call("ContainerStatus", .seconds(30)) { options in
                try await self.runtime.containerStatus(.with { $0.containerID = id }, options: options)
            }.status
        } catch  where error.isNotFound {
            return nil
        }
    }

    /// Makes the runtime write on into a new log file after the old one was renamed.
    package func reopenLog(_ id: String) async throws(RuntimeError) {
        _ = try await call("ReopenContainerLog", .seconds(30)) { options in
            try await self.runtime.reopenContainerLog(.with { $0.containerID = id }, options: options)
        }
    }

    /// Runs a command in an instance and waits for its end, so many seconds at most (0 for ever).
    package func exec(
        _ id: String, _ command: [String], timeout: Int
    ) async throws(RuntimeError) -> Runtime_V1_ExecSyncResponse {
        try await call("ExecSync", timeout > 0 ? .seconds(timeout + 10) : nil) { options in
            try await self.runtime.execSync(
                .with {
                    $0.containerID = id
                    $0.cmd = command
                    $0.timeout = Int64(timeout)
                }, options: options)
        }
    }

    // MARK: Streams

    /// Prepares a command in an instance and returns the URL on which its streams are served, for a short time.
    package func exec(
        _ id: String, _ command: [String], _ streams: ContainerStreams
    ) async throws(RuntimeError) -> String {
        try await call("Exec", .seconds(30)) { options in
            try await self.runtime.exec(
                .with {
                    $0.containerID = id
                    $0.cmd = command
                    $0.stdin = streams.stdin
                    $0.stdout = streams.stdout
                    $0.stderr = streams.stderr
                    $0.tty = streams.tty
                }, options: options)
        }.url
    }

    /// Returns the URL on which the streams of an instance's main process are served, for a short time.
    package func attach(_ id: String, _ streams: ContainerStreams) async throws(RuntimeError) -> String {
        try await call("Attach", .seconds(30)) { options in
            try await self.runtime.attach(
                .with {
                    $0.containerID = id
                    $0.stdin = streams.stdin
                    $0.stdout = streams.stdout
                    $0.stderr = streams.stderr
                    $0.tty = streams.tty
                }, options: options)
        }.url
    }

    /// Returns the URL on which connections into a sandbox's network are served, for a short time.
    package func portForward(sandbox id: String, ports: [Int32]) async throws(RuntimeError) -> String {
        try await call("PortForward", .seconds(30)) { options in
            try await self.runtime.portForward(
                .with {
                    $0.podSandboxID = id
                    $0.port = ports
                }, options: options)
        }.url
    }

    // MARK: Images

    /// The image by a name, if the runtime has it.
    package func image(_ name: String) async throws(RuntimeError) -> Runtime_V1_Image? {
        let answer = try await call("ImageStatus", .seconds(30)) { options in
            try await self.images.imageStatus(
                .with { $0.image = .with { $0.image = name } }, options: options)
        }
        return answer.hasImage ? answer.image : nil
    }

    /// Fetches an image and returns its reference.
    package func pull(_ name: String, credentials: Runtime_V1_AuthConfig?) async throws(RuntimeError) -> String {
        try await call("PullImage", nil) { options in
            try await self.images.pullImage(
                .with {
                    $0.image = .with { $0.image = name }
                    if let credentials { $0.auth = credentials }
                }, options: options)
        }.imageRef
    }

    // MARK: Calls

    private func call<Answer: Sendable>(
        _ operation: String, _ timeout: Duration?, _ body: (CallOptions) async throws -> Answer
    ) async throws(RuntimeError) -> Answer {
        var options = CallOptions.defaults
        options.timeout = timeout
        options.waitForReady = false
        do {
            return try await body(options)
        } catch let error as RPCError {
            throw RuntimeError(
                operation: operation, isNotFound: error.code == .notFound, message: error.message)
        } catch {
            throw RuntimeError(operation: operation, isNotFound: false, message: "\(error)")
        }
    }

    private func ignoringAbsence(_ body: () async throws(RuntimeError) -> Void) async throws(RuntimeError) {
        do throws(RuntimeError) {
            try await body()
        } catch  where error.isNotFound {
            return
        }
    }
}
