import Addresses
import CRI
import KubernetesAPI
import KubernetesClient
import Linux

/// Makes and starts one instance of a container.
struct ContainerStarter: Sendable {
    let context: PodContext
    /// The pod with its addresses in its status.
    let pod: Pod
    let sandboxID: String
    let sandbox: Runtime_V1_PodSandboxConfig
    /// The running instances of the pod by container.
    let running: [String: String]

    private var spec: PodSpec { pod.spec ?? PodSpec() }
    private var reporter: PodReporter { PodReporter(pod: pod, events: context.events) }

    /// Fetches the image, resolves the environment, then makes and starts the instance.
    func start(_ container: Container, attempt: Int) async throws(PodActionFailure) {
        let image = try await ensureImage(container)
        let configuration = try await configuration(container, attempt: attempt, image: image)
        let message = configuration.message(attempt: attempt)
        let id: String
        do throws(RuntimeError) {
            id = try await context.runtime.createContainer(sandbox: sandboxID, message, sandbox: sandbox)
        } catch {
            throw fail("CreateContainerError", error.message, container)
        }
        reporter.report(container, "Created", "Created container: \(container.name)")
        do throws(RuntimeError) {
            try await context.runtime.startContainer(id)
        } catch {
            throw fail("RunContainerError", error.message, container)
        }
        reporter.report(container, "Started", "Started container \(container.name)")
        if let hook = container.lifecycle?.postStart {
            try await run(hook, container, id)
        }
    }

    private func ensureImage(_ container: Container) async throws(PodActionFailure) -> ImagePuller.Outcome {
        let reporter = reporter
        let image = container.image ?? ""
        var secrets: [Secret] = []
        for reference in spec.imagePullSecrets ?? [] {
            guard let name = reference.name else { continue }
            if let secret = try? await context.find(Secret.self, pod.namespace, name) { secrets.append(secret) }
        }
        do throws(PodActionFailure) {
            let outcome = try await context.images.ensure(container, secrets: secrets) {
                reporter.report(container, "Pulling", "Pulling image \"\(image)\"")
            }
            if let seconds = outcome.pullSeconds {
                let milliseconds = Int(seconds * 1000)
                reporter.report(
                    container, "Pulled", "Successfully pulled image \"\(image)\" in \(milliseconds)ms")
            } else {
                reporter.report(
                    container, "Pulled", "Container image \"\(image)\" already present on machine")
            }
            return outcome
        } catch {
            reporter.report(container, "Failed", error.message, isWarning: true)
            throw error
        }
    }

    private func configuration(
        _ container: Container, attempt: Int, image: ImagePuller.Outcome
    ) async throws(PodActionFailure) -> ContainerConfiguration {
        let directories = context.directories(of: pod)
        let sources: ConfigurationSources
        do {
            sources = try await context.sources(
                ConfigurationReferences(environmentOf: container), namespace: pod.namespace)
        } catch {
            throw fail("CreateContainerConfigError", "cannot read what the environment refers to: \(error)", container)
        }
        let links = ServiceEnvironment.variables(
            services: context.services.list(), namespace: pod.namespace,
            includesNamespace: spec.enableServiceLinks ?? true)
        let downward = DownwardAPI(pod: pod, nodeAllocatable: context.nodeAllocatable)
        do throws(PodActionFailure) {
            let environment = try Environment(container: container, pod: downward, sources: sources, services: links)
            try refuseRoot(container)
            var mounts = try PodVolumes(directories: directories)
                .mounts(of: container, volumes: spec.volumes ?? [], environment: environment)
            mounts += try managedFiles(container, attempt: attempt, directories, besides: mounts)
            return ContainerConfiguration(
                pod: pod, container: container, environment: environment, mounts: mounts,
                imageRef: image.reference,
                resources: ContainerResources(
                    container.resources, pod: QualityOfService(of: spec),
                    nodeMemory: context.nodeAllocatable["memory"]?.value ?? 0),
                target: try target(of: container))
        } catch {
            throw fail(error.reason, error.message, container)
        }
    }

    /// The instance whose processes an ephemeral container asks to see.
    private func target(of container: Container) throws(PodActionFailure) -> String? {
        let ephemeral = spec.ephemeralContainers?.first { $0.container.name == container.name }
        guard let name = ephemeral?.targetContainerName, !name.isEmpty else { return nil }
        guard let id = running[name] else {
            throw PodActionFailure(
                reason: "CreateContainerConfigError",
                message: "the target container \(name) does not run, so that its processes cannot be seen")
        }
        return id
    }

    /// `runAsNonRoot` without a user other than root cannot be kept.
    private func refuseRoot(_ container: Container) throws(PodActionFailure) {
        let own = container.securityContext
        let mustNot = own?.runAsNonRoot ?? spec.securityContext?.runAsNonRoot ?? false
        let user = own?.runAsUser ?? spec.securityContext?.runAsUser
        guard mustNot, user ?? 0 == 0 else { return }
        throw PodActionFailure(
            reason: "CreateContainerConfigError",
            message: "container has runAsNonRoot and no runAsUser other than 0: set runAsUser")
    }

    /// `/etc/hosts` and the file for the last words, unless the user mounts something there.
    private func managedFiles(
        _ container: Container, attempt: Int, _ directories: PodDirectories, besides mounts: [ContainerMount]
    ) throws(PodActionFailure) -> [ContainerMount] {
        let taken = Set(mounts.map(\.containerPath))
        var files: [ContainerMount] = []
        do {
            if !taken.contains("/etc/hosts") {
                let aliases = spec.hostAliases ?? []
                let text =
                    if spec.hostNetwork == true {
                        HostsFile.text(node: (try? FileSystem.readText("/etc/hosts")) ?? "", aliases: aliases)
                    } else {
                        HostsFile.text(
                            addresses: pod.addresses.compactMap { IPAddress($0) }, hostname: sandbox.hostname,
                            subdomain: spec.subdomain.map { name in
                                "\(name).\(pod.namespace).svc.\(context.configuration.clusterDomain)"
                            }, aliases: aliases)
                    }
                // Written in place: containers that run have the file itself mounted.
                try FileSystem.makeDirectory(directories.root)
                try FileSystem.writeFile(directories.hostsFile, Array(text.utf8))
                files.append(ContainerMount(hostPath: directories.hostsFile, containerPath: "/etc/hosts"))
            }
            let lastWords = container.terminationMessagePath ?? "/dev/termination-log"
            if !taken.contains(lastWords) {
                let path = directories.terminationLog(container: container.name, attempt: attempt)
                try FileSystem.makeDirectory("\(directories.root)/containers/\(container.name)")
                try FileSystem.writeFile(path, [])
                // The container's user may be any.
                try FileSystem.setMode(path, 0o666)
                files.append(ContainerMount(hostPath: path, containerPath: lastWords))
            }
            try FileSystem.makeDirectory("\(directories.logs)/\(container.name)")
        } catch {
            throw PodActionFailure(
                reason: "CreateContainerConfigError", message: "cannot write the container's files: \(error)")
        }
        return files
    }

    private func run(_ hook: LifecycleHandler, _ container: Container, _ id: String) async throws(PodActionFailure) {
        let runner = HandlerRunner(context: context, pod: pod)
        do throws(HandlerFailure) {
            try await runner.run(hook, container, id)
        } catch {
            reporter.report(container, "FailedPostStartHook", "PostStartHook failed: \(error.message)", isWarning: true)
            try? await context.runtime.stopContainer(id, gracePeriod: spec.terminationGracePeriodSeconds ?? 30)
            throw PodActionFailure(reason: "PostStartHookError", message: error.message)
        }
    }

    private func fail(_ reason: String, _ message: String, _ container: Container) -> PodActionFailure {
        reporter.report(container, "Failed", "Error: \(message)", isWarning: true)
        return PodActionFailure(reason: reason, message: message)
    }
}
