import KubernetesAPI
import Linux
import PodRuntime
import Testing

@Suite struct VolumeTests {
    private static let downward = DownwardAPI(
        pod: Pod(metadata: ObjectMeta(name: "web", namespace: "shop", labels: ["b": "2", "a": "1"])),
        nodeAllocatable: [:])
    private static let sources = ConfigurationSources(
        configMaps: ["settings": ["a": Array("1".utf8), "b": Array("2".utf8)]],
        secrets: ["keys": ["token": Array("t".utf8)]])

    private static func content(_ volume: Volume) throws -> [String: String] {
        let content = try VolumeContent(volume, pod: downward, sources: sources)
        return (content?.files ?? [:]).mapValues {
            "\(String(decoding: $0.bytes, as: UTF8.self)) \(String($0.mode, radix: 8))"
        }
    }

    @Test func `objects become files, with their modes`() throws {
        let all = Volume(name: "v", configMap: ConfigMapVolumeSource(name: "settings"))
        #expect(try Self.content(all) == ["a": "1 644", "b": "2 644"])
        let some = Volume(
            name: "v",
            configMap: ConfigMapVolumeSource(
                name: "settings", items: [KeyToPath(key: "a", path: "sub/x", mode: 0o400)], defaultMode: 0o600))
        #expect(try Self.content(some) == ["sub/x": "1 400"])
        let projected = Volume(
            name: "v",
            projected: ProjectedVolumeSource(sources: [
                VolumeProjection(secret: SecretProjection(name: "keys")),
                VolumeProjection(
                    downwardAPI: DownwardAPIProjection(items: [
                        DownwardAPIVolumeFile(
                            path: "labels", fieldRef: ObjectFieldSelector(fieldPath: "metadata.labels"))
                    ])),
            ]))
        #expect(try Self.content(projected) == ["token": "t 644", "labels": "a=\"1\"\nb=\"2\" 644"])
    }

    @Test(arguments: [
        (Volume(name: "v", secret: SecretVolumeSource(secretName: "absent")), "secret \"absent\" not found"),
        (
            Volume(
                name: "v",
                configMap: ConfigMapVolumeSource(name: "settings", items: [KeyToPath(key: "z", path: "z")])),
            "configmap \"settings\" has no key \"z\""
        ),
        (
            Volume(
                name: "v",
                configMap: ConfigMapVolumeSource(name: "settings", items: [KeyToPath(key: "a", path: "../z")])),
            "path \"../z\" must be relative and stay inside the volume"
        ),
    ])
    func `what is missing or unsafe is named`(volume: Volume, message: String) {
        #expect(throws: PodActionFailure(reason: "FailedMount", message: message)) { try Self.content(volume) }
    }

    @Test func `a change of the files shows at once and whole`() throws {
        let root = try FileSystem.makeTemporaryDirectory(prefix: "/tmp/dt-podruntime-")
        defer { try? FileSystem.removeTree(root) }
        let directory = VolumeDirectory(path: "\(root)/v")
        let volume = Volume(name: "v", configMap: ConfigMapVolumeSource(name: "settings"))
        func write(_ data: [String: String], _ version: String) throws {
            let sources = ConfigurationSources(configMaps: ["settings": data.mapValues { Array($0.utf8) }])
            guard let content = try VolumeContent(volume, pod: Self.downward, sources: sources) else { return }
            try directory.write(content, version: version)
        }
        try write(["a": "1", "b": "2"], "one")
        #expect(try FileSystem.readText("\(root)/v/a") == "1")
        #expect(try FileSystem.readLink("\(root)/v/a") == "..data/a")
        try write(["a": "1", "b": "2"], "two")
        #expect(try FileSystem.readLink("\(root)/v/..data") == "..one", "unchanged files are left alone")
        try write(["a": "9", "c": "3"], "three")
        #expect(try FileSystem.list("\(root)/v") == ["..data", "..three", "a", "c"])
        #expect(try FileSystem.readText("\(root)/v/a") == "9")
    }

    @Test func `a subPath stays in its volume`() throws {
        let root = try FileSystem.makeTemporaryDirectory(prefix: "/tmp/dt-podruntime-")
        defer { try? FileSystem.removeTree(root) }
        let directories = PodDirectories(
            pod: Pod(metadata: ObjectMeta(name: "web", namespace: "shop", uid: "u1")), rootDirectory: root,
            logDirectory: "\(root)/logs")
        let volumes = PodVolumes(directories: directories)
        let volume = Volume(name: "v", emptyDir: EmptyDirVolumeSource())
        try volumes.prepare(volume, content: nil, version: "1")
        try FileSystem.symbolicLink(to: "/etc", at: "\(directories.volume("v"))/out")
        let environment = try Environment(
            container: Container(name: "c"), pod: Self.downward, sources: ConfigurationSources(), services: [])
        func mount(_ subPath: String) throws -> [ContainerMount] {
            let mount = VolumeMount(name: "v", mountPath: "/v", subPath: subPath)
            return try volumes.mounts(
                of: Container(name: "c", volumeMounts: [mount]), volumes: [volume], environment: environment)
        }
        #expect(try mount("in/side").map(\.hostPath) == ["\(directories.volume("v"))/in/side"])
        #expect(throws: PodActionFailure.self) { try mount("out") }
        #expect(throws: PodActionFailure.self) { try mount("../u2") }
        try volumes.removeAll()
        #expect(!FileSystem.exists(directories.root))
    }
}
