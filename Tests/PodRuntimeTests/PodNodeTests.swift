import Foundation
import KubernetesAPI
import KubernetesClient
import Linux
import PodRuntime
import Testing

/// One node with a real containerd and a real API server.
@Suite(.serialized, .enabled(if: NodeFixture.isPossible, "needs root, containerd and the reference CNI plugins"))
struct PodNodeTests {
    private static let image = "localhost/duet/busybox:1"

    private static func shell(_ script: String, name: String = "main") -> Container {
        Container(name: name, image: image, command: ["/bin/sh", "-c", script])
    }

    @Test(.timeLimit(.minutes(5)))
    func `pods live and die on a node`() async throws {
        try await NodeFixture.run { fixture in
            try await fixture.withNode {
                try await Self.checkNode(fixture)
                try await Self.checkPod(fixture)
                try await Self.checkNodeAPI(fixture)
                try await Self.checkCrash(fixture)
                try await Self.checkImages(fixture)
                try await Self.checkHostNetwork(fixture)
            }
            let before = try await fixture.client.get(Pod.self, namespace: "default", name: "web")
            try await fixture.withNode {
                try await Self.checkAdoption(fixture, before)
                try await Self.checkDeletion(fixture, before)
            }
        }
    }

    private static func checkNode(_ fixture: NodeFixture) async throws {
        let node = try await fixture.eventually("node is ready") {
            let node = try? await fixture.client.get(Node.self, namespace: nil, name: "node-1")
            return node?.isReady == true ? node : nil
        }
        #expect(node.status?.addresses?.map(\.address) == ["192.0.2.1", "2001:db8::1", "node-1"])
        #expect(node.metadata.labels?["kubernetes.io/hostname"] == "node-1")
        #expect(node.status?.nodeInfo?.containerRuntimeVersion?.hasPrefix("containerd://1.") == true)
        let lease = try await fixture.client.get(Lease.self, namespace: "kube-node-lease", name: "node-1")
        #expect(lease.spec?.holderIdentity == "node-1")
    }

    private static func checkPod(_ fixture: NodeFixture) async throws {
        try await fixture.client.create(
            ConfigMap(metadata: ObjectMeta(name: "settings", namespace: "default"), data: ["color": "red"]))
        var container = shell(
            """
            echo ips $POD_IPS host $HOST_IP color $COLOR; cat /settings/color /shared/from-init; echo; cat /etc/hosts
            echo up > /shared/ready; trap 'echo bye; exit 0' TERM; while true; do sleep 0.1; done
            """)
        container.env = [
            EnvVar(name: "POD_IPS", valueFrom: EnvVarSource(fieldRef: ObjectFieldSelector(fieldPath: "status.podIPs"))),
            EnvVar(name: "HOST_IP", valueFrom: EnvVarSource(fieldRef: ObjectFieldSelector(fieldPath: "status.hostIP"))),
            EnvVar(
                name: "COLOR", valueFrom: EnvVarSource(configMapKeyRef: KeySelector(name: "settings", key: "color"))),
        ]
        container.volumeMounts = [
            VolumeMount(name: "settings", mountPath: "/settings"), VolumeMount(name: "shared", mountPath: "/shared"),
        ]
        container.readinessProbe = Probe(
            exec: ExecAction(command: ["/bin/sh", "-c", "test -e /shared/ready"]), periodSeconds: 1)
        var initial = shell("echo prepared > /shared/from-init", name: "init")
        initial.volumeMounts = [VolumeMount(name: "shared", mountPath: "/shared")]
        try await fixture.create(
            "web",
            PodSpec(
                containers: [container], initContainers: [initial],
                volumes: [
                    Volume(name: "settings", configMap: ConfigMapVolumeSource(name: "settings")),
                    Volume(name: "shared", emptyDir: EmptyDirVolumeSource()),
                ]))
        let pod = try await fixture.pod("web") { $0.conditions?.isTrue("Ready") == true }
        let addresses = pod.addresses
        #expect(addresses.count == 2)
        #expect(addresses.first?.hasPrefix("10.244.7.") == true)
        #expect(addresses.last?.hasPrefix("fd00:10:244:7::") == true)
        #expect(pod.status?.hostIPs?.map(\.ip) == ["192.0.2.1", "2001:db8::1"])
        #expect(pod.status?.initContainerStatuses?.first?.state?.terminated?.reason == "Completed")
        let log = try await fixture.eventually("the container's log") {
            let (code, text) = try await fixture.ask("/containerLogs/default/web/main")
            return code == 200 && text.contains("web\n") ? text : nil
        }
        #expect(log.hasPrefix("ips \(addresses.joined(separator: ",")) host 192.0.2.1 color red\nred"))
        #expect(log.contains("prepared\n"))
        #expect(addresses.allSatisfy { log.contains("\n\($0)\tweb\n") })
    }

    private static func checkNodeAPI(_ fixture: NodeFixture) async throws {
        #expect(try await fixture.ask("/healthz", withCertificate: false) == (200, "ok"))
        #expect(try await fixture.ask("/pods", withCertificate: false).0 == 401)
        #expect(try await fixture.ask("/pods").1.contains("\"kind\":\"PodList\""))
        #expect(
            try await fixture.ask("/run/default/web/main?cmd=cat%20/settings/color", isPosting: true) == (200, "red"))
        #expect(try await fixture.ask("/run/default/web/main?cmd=false", isPosting: true).0 == 500)
        #expect(try await fixture.ask("/containerLogs/default/none/main").0 == 404)
        #expect(try await fixture.ask("/containerLogs/default/web/main?tailLines=x").0 == 400)
        #expect(try await fixture.ask("/containerLogs/default/web/main?limitBytes=3") == (200, "ips"))
        #expect(try await fixture.ask("/containerLogs/default/web/main?previous=true").0 == 400)
    }

    private static func checkCrash(_ fixture: NodeFixture) async throws {
        try await fixture.create(
            "crash", PodSpec(containers: [shell("echo once; printf 'out of ideas' > /dev/termination-log; exit 3")]))
        let pod = try await fixture.pod("crash") {
            $0.containerStatuses?.first?.state?.waiting?.reason == "CrashLoopBackOff"
        }
        let status = pod.status?.containerStatuses?.first
        #expect(status?.restartCount == 1)
        #expect(status?.lastState?.terminated?.exitCode == 3)
        #expect(status?.lastState?.terminated?.message == "out of ideas")
        #expect(pod.status?.phase == "Running")
        #expect(try await fixture.ask("/containerLogs/default/crash/main?previous=true") == (200, "once\n"))
        let events = try await fixture.eventually("events") {
            let reasons = try await fixture.client.list(Event.self, namespace: "default").items
                .filter { $0.involvedObject.name == "crash" }.compactMap(\.reason)
            return Set(reasons).isSuperset(of: ["Pulled", "Created", "Started", "BackOff"]) ? reasons : nil
        }
        #expect(!events.isEmpty)
        try await fixture.create(
            "once", PodSpec(containers: [shell("exit 0")], restartPolicy: "Never"))
        #expect(try await fixture.pod("once") { $0.phase == "Succeeded" }.addresses.count == 2)
    }

    private static func checkImages(_ fixture: NodeFixture) async throws {
        let absent = Container(name: "main", image: "localhost/duet/none:1", imagePullPolicy: "Never")
        try await fixture.create("absent", PodSpec(containers: [absent]))
        _ = try await fixture.pod("absent") {
            $0.containerStatuses?.first?.state?.waiting?.reason == "ErrImageNeverPull"
        }
    }

    private static func checkHostNetwork(_ fixture: NodeFixture) async throws {
        try await fixture.create("host", PodSpec(containers: [shell("sleep 1000")], hostNetwork: true))
        let pod = try await fixture.pod("host") { $0.phase == "Running" }
        #expect(pod.addresses == ["192.0.2.1", "2001:db8::1"])
    }

    private static func checkAdoption(_ fixture: NodeFixture, _ before: Pod) async throws {
        let (_, text) = try await fixture.eventually("the node's API is back") {
            let answer = try? await fixture.ask("/containerLogs/default/web/main")
            return answer?.0 == 200 ? answer : nil
        }
        #expect(text.contains("prepared"))
        // Three seconds are three rounds of the readiness probe.
        try await Task.sleep(for: .seconds(3))
        let after = try await fixture.client.get(Pod.self, namespace: "default", name: "web")
        #expect(after.status?.containerStatuses == before.status?.containerStatuses)
        #expect(after.status?.conditions == before.status?.conditions)
        #expect(after.addresses == before.addresses)
    }

    private static func checkDeletion(_ fixture: NodeFixture, _ pod: Pod) async throws {
        let start = ContinuousClock.now
        try await fixture.client.delete(Pod.self, namespace: "default", name: "web")
        _ = try await fixture.eventually("the pod is gone") {
            do {
                _ = try await fixture.client.get(Pod.self, namespace: "default", name: "web")
                return nil as Bool?
            } catch let error as StatusError where error.code == 404 {
                return true
            }
        }
        // It ends on the polite signal, well before the thirty seconds are over.
        #expect(ContinuousClock.now - start < .seconds(20))
        let directories = PodDirectories(
            pod: pod, rootDirectory: fixture.configuration.rootDirectory,
            logDirectory: fixture.configuration.logDirectory)
        #expect(!FileSystem.exists(directories.root))
        #expect(!FileSystem.exists(directories.logs))
        let runtime = try await fixture.ask("/pods").1
        #expect(!runtime.contains("\"name\":\"web\""))
    }
}
