import Addresses
import KubernetesAPI
import PodRuntime
import Testing

@Suite struct VariableExpansionTests {
    @Test(arguments: [
        ("$(A)", "1"), ("x$(A)y$(B)z", "x1y2z"), ("$(C)", "$(C)"), ("$$(A)", "$(A)"), ("$A", "$A"), ("$", "$"),
        ("$(A", "$(A"), ("$$$(A)", "$1"), ("", ""), ("$()", "$()"),
    ])
    func `references are replaced as Kubernetes does`(text: String, result: String) {
        let values = ["A": "1", "B": "2"]
        #expect(VariableExpansion.expand(text) { values[$0] } == result)
    }
}

@Suite struct EnvironmentTests {
    private static let pod = Pod(
        metadata: ObjectMeta(
            name: "web-0", namespace: "shop", uid: "u1", labels: ["app": "web"], annotations: ["note": "a \"b\"\n"]),
        spec: PodSpec(
            containers: [
                Container(
                    name: "web",
                    resources: ResourceRequirements(
                        limits: ["memory": Quantity("64Mi") ?? Quantity(0)],
                        requests: ["cpu": Quantity("250m") ?? Quantity(0)]))
            ], nodeName: "node-1"),
        status: PodStatus(
            hostIP: "192.0.2.1", hostIPs: [HostIP(ip: "192.0.2.1"), HostIP(ip: "2001:db8::1")], podIP: "10.0.0.4",
            podIPs: [PodIP(ip: "10.0.0.4"), PodIP(ip: "fd00::4")]))
    private static let downward = DownwardAPI(
        pod: pod, nodeAllocatable: ["cpu": Quantity(2), "memory": Quantity(1 << 30)])

    @Test(arguments: [
        ("metadata.name", "web-0"), ("metadata.namespace", "shop"), ("metadata.uid", "u1"),
        ("metadata.labels['app']", "web"), ("metadata.labels['none']", ""), ("spec.nodeName", "node-1"),
        ("spec.serviceAccountName", "default"), ("status.podIP", "10.0.0.4"), ("status.podIPs", "10.0.0.4,fd00::4"),
        ("status.hostIP", "192.0.2.1"), ("status.hostIPs", "192.0.2.1,2001:db8::1"),
        ("metadata.annotations", "note=\"a \\\"b\\\"\\n\""), ("spec.containers", nil),
    ])
    func `fields of the pod`(path: String, value: String?) {
        #expect(Self.downward.field(path) == value)
    }

    @Test(arguments: [
        ("limits.cpu", "1", "2"), ("limits.cpu", "1m", "2000"), ("requests.cpu", "1", "1"),
        ("requests.cpu", "1m", "250"), ("limits.memory", "1Mi", "64"), ("limits.memory", "0", "67108864"),
        ("requests.memory", "1", "67108864"), ("limits.unknown", "1", nil),
    ])
    func `resources of a container`(resource: String, divisor: String, value: String?) {
        let selector = ResourceFieldSelector(resource: resource, divisor: Quantity(divisor))
        #expect(Self.downward.resource(selector, of: "web") == value)
    }

    @Test func `later variables win, and refer to earlier ones`() throws {
        let container = Container(
            name: "web",
            envFrom: [EnvFromSource(prefix: "CM_", configMapRef: EnvFromReference(name: "settings"))],
            env: [
                EnvVar(name: "A", value: "1"), EnvVar(name: "B", value: "$(A)-$(CM_color)"),
                EnvVar(name: "A", value: "2"),
                EnvVar(
                    name: "SECRET",
                    valueFrom: EnvVarSource(secretKeyRef: KeySelector(name: "keys", key: "token"))),
                EnvVar(
                    name: "NONE",
                    valueFrom: EnvVarSource(
                        configMapKeyRef: KeySelector(name: "absent", key: "x", optional: true))),
            ])
        let sources = ConfigurationSources(
            configMaps: ["settings": ["color": Array("red".utf8)]], secrets: ["keys": ["token": Array("t".utf8)]])
        let environment = try Environment(
            container: container, pod: Self.downward, sources: sources, services: [("A", "service")])
        let texts = environment.variables.map { "\($0.name)=\($0.value)" }
        #expect(texts == ["A=2", "CM_color=red", "B=1-red", "SECRET=t"])
    }

    @Test func `a missing object is a configuration error that names it`() {
        let container = Container(
            name: "web",
            env: [EnvVar(name: "X", valueFrom: EnvVarSource(secretKeyRef: KeySelector(name: "keys", key: "a")))])
        #expect(throws: PodActionFailure(reason: "CreateContainerConfigError", message: "secret \"keys\" not found")) {
            _ = try Environment(
                container: container, pod: Self.downward, sources: ConfigurationSources(), services: [])
        }
    }

    @Test func `services become variables, addresses of either family included`() {
        let service = Service(
            metadata: ObjectMeta(name: "my-db", namespace: "shop"),
            spec: ServiceSpec(
                ports: [ServicePort(name: "sql", port: 5432)], clusterIP: "fd00::10"))
        let headless = Service(
            metadata: ObjectMeta(name: "none", namespace: "shop"),
            spec: ServiceSpec(ports: [ServicePort(port: 1)], clusterIP: "None"))
        let variables = ServiceEnvironment.variables(
            services: [service, headless], namespace: "shop", includesNamespace: true)
        let texts = variables.map { "\($0.name)=\($0.value)" }
        #expect(
            texts == [
                "MY_DB_SERVICE_HOST=fd00::10", "MY_DB_SERVICE_PORT=5432", "MY_DB_SERVICE_PORT_SQL=5432",
                "MY_DB_PORT=tcp://[fd00::10]:5432", "MY_DB_PORT_5432_TCP=tcp://[fd00::10]:5432",
                "MY_DB_PORT_5432_TCP_PROTO=tcp", "MY_DB_PORT_5432_TCP_PORT=5432",
                "MY_DB_PORT_5432_TCP_ADDR=fd00::10",
            ])
        #expect(
            ServiceEnvironment.variables(services: [service], namespace: "shop", includesNamespace: false).isEmpty)
    }
}

@Suite struct ResolverConfigurationTests {
    private static let node = ResolverConfiguration(
        parsing: "# comment\nnameserver 192.0.2.53\nsearch example.com\noptions timeout:1\n")

    private static func configuration(
        policy: String?, hostNetwork: Bool = false, own: PodDNSConfig? = nil
    ) -> ResolverConfiguration {
        let spec = PodSpec(dnsPolicy: policy, dnsConfig: own, hostNetwork: hostNetwork)
        return ResolverConfiguration.forPod(
            spec, namespace: "shop", clusterServers: ["10.96.0.10", "fd00:10:96::a"], clusterDomain: "cluster.local",
            node: node
        ).configuration
    }

    @Test(arguments: [(nil, false), ("ClusterFirst", false), ("ClusterFirstWithHostNet", true)] as [(String?, Bool)])
    func `the cluster's servers of both families come with its search list`(policy: String?, hostNetwork: Bool) {
        let result = Self.configuration(policy: policy, hostNetwork: hostNetwork)
        #expect(result.nameservers == ["10.96.0.10", "fd00:10:96::a"])
        #expect(result.searches == ["shop.svc.cluster.local", "svc.cluster.local", "cluster.local", "example.com"])
        #expect(result.options == ["ndots:5"])
    }

    @Test(arguments: [("Default", false), ("ClusterFirst", true)])
    func `the node's own configuration is passed on`(policy: String, hostNetwork: Bool) {
        #expect(Self.configuration(policy: policy, hostNetwork: hostNetwork) == Self.node)
    }

    @Test func `the pod's settings are merged`() {
        let own = PodDNSConfig(
            nameservers: ["2001:db8::53", "10.96.0.10"], searches: ["example.org", "cluster.local"],
            options: [PodDNSConfigOption(name: "ndots", value: "2"), PodDNSConfigOption(name: "edns0")])
        let result = Self.configuration(policy: nil, own: own)
        #expect(result.nameservers == ["10.96.0.10", "fd00:10:96::a", "2001:db8::53"])
        #expect(result.searches.last == "example.org")
        #expect(result.options == ["ndots:2", "edns0"])
        #expect(Self.configuration(policy: "None", own: own).nameservers == ["2001:db8::53", "10.96.0.10"])
    }

    @Test func `what resolvers do not take is cut, and said`() {
        let spec = PodSpec(
            dnsPolicy: "None",
            dnsConfig: PodDNSConfig(
                nameservers: (1...4).map { "192.0.2.\($0)" }, searches: (0..<40).map { "domain\($0).example" }))
        let (result, omission) = ResolverConfiguration.forPod(
            spec, namespace: "shop", clusterServers: [], clusterDomain: "cluster.local", node: Self.node)
        #expect(result.nameservers.count == 3)
        #expect(result.searches.count == 32)
        #expect(omission?.hasPrefix("Nameserver limits were exceeded") == true)
    }
}

@Suite struct HostsFileTests {
    @Test func `each address of the pod has a line`() {
        let text = HostsFile.text(
            addresses: ["10.0.0.4", "fd00::4"].compactMap { IPAddress($0) }, hostname: "web-0",
            subdomain: "web.shop.svc.cluster.local", aliases: [HostAlias(ip: "192.0.2.9", hostnames: ["a", "b"])])
        #expect(text.hasPrefix("# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost"))
        #expect(text.contains("\n10.0.0.4\tweb-0.web.shop.svc.cluster.local\tweb-0\n"))
        #expect(text.contains("\nfd00::4\tweb-0.web.shop.svc.cluster.local\tweb-0\n"))
        #expect(text.hasSuffix("\n# Entries added by HostAliases.\n192.0.2.9\ta\tb\n"))
    }
}

@Suite struct ContainerResourcesTests {
    @Test(
        arguments: [
            (nil, nil, 2, 0, QualityOfService.bestEffort), ("100m", nil, 102, 0, .burstable),
            ("1", "2", 1024, 200_000, .burstable), ("500m", "500m", 512, 50_000, .guaranteed),
            (nil, "5m", 5, 1000, .burstable),
        ] as [(String?, String?, Int64, Int64, QualityOfService)])
    func `processor time becomes shares and quota`(
        request: String?, limit: String?, shares: Int64, quota: Int64, quality: QualityOfService
    ) {
        var requirements = ResourceRequirements()
        requirements.requests = request.flatMap { Quantity($0) }.map { ["cpu": $0] }
        requirements.limits = limit.flatMap { Quantity($0) }.map { ["cpu": $0] }
        if quality == .guaranteed { requirements.limits?["memory"] = Quantity("1Mi") }
        let spec = PodSpec(containers: [Container(name: "a", resources: requirements)])
        #expect(QualityOfService(of: spec) == quality)
        let resources = ContainerResources(requirements, pod: quality, nodeMemory: 1 << 30)
        #expect(resources.cpuShares == shares)
        #expect(resources.cpuQuota == quota)
    }
}

@Suite struct ImagePolicyTests {
    @Test(arguments: [
        ("nginx", "Always"), ("nginx:latest", "Always"), ("nginx:1", "IfNotPresent"),
        ("localhost:5000/nginx", "Always"), ("localhost/duet/nginx:1", "IfNotPresent"),
        ("nginx@sha256:00", "IfNotPresent"),
    ])
    func `the tag decides when the policy is absent`(image: String, policy: String) {
        #expect(ImagePuller.policy(of: Container(name: "a", image: image)) == policy)
        #expect(ImagePuller.policy(of: Container(name: "a", image: image, imagePullPolicy: "Never")) == "Never")
    }
}
