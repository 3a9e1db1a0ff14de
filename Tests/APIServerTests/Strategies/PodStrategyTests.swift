import JSON
import KubernetesAPI
import Testing

@Suite struct PodStrategyTests {
    private let harness: StrategyHarness

    init() throws {
        harness = try StrategyHarness(.pods)
    }

    @Test func `a Pod gets the defaults of Kubernetes`() throws {
        let object = try harness.pod(
            #""volumes":[{"name":"e"},{"name":"m","configMap":{"name":"m"}}]"#,
            container: #""livenessProbe":{"httpGet":{"port":80}},"ports":[{"containerPort":80}]"#)
        #expect(
            try object["spec"]
                == JSONValue(
                    text: """
                        {"containers":[{"name":"c","image":"i","imagePullPolicy":"Always","resources":{},
                        "terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File",
                        "ports":[{"containerPort":80,"protocol":"TCP"}],
                        "livenessProbe":{"httpGet":{"path":"/","port":80,"scheme":"HTTP"},"timeoutSeconds":1,
                        "periodSeconds":10,"successThreshold":1,"failureThreshold":3}}],
                        "volumes":[{"name":"e","emptyDir":{}},{"name":"m","configMap":{"name":"m","defaultMode":420}}],
                        "restartPolicy":"Always","terminationGracePeriodSeconds":30,"dnsPolicy":"ClusterFirst",
                        "securityContext":{},"schedulerName":"default-scheduler","enableServiceLinks":true,
                        "serviceAccountName":"default","serviceAccount":"default","automountServiceAccountToken":false,
                        "priority":0,
                        "preemptionPolicy":"PreemptLowerPriority","tolerations":[
                        {"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute","tolerationSeconds":300},
                        {"key":"node.kubernetes.io/unreachable","operator":"Exists","effect":"NoExecute","tolerationSeconds":300}]}
                        """))
        #expect(object["status"] == ["phase": "Pending", "qosClass": "BestEffort"])
    }

    @Test(arguments: [
        ("nginx", "Always"), ("nginx:latest", "Always"), ("nginx:1.27", "IfNotPresent"),
        ("host:5000/nginx", "Always"), ("host:5000/nginx:1", "IfNotPresent"),
        ("nginx@sha256:aa", "IfNotPresent"),
    ])
    func `images whose tag moves are always pulled`(image: String, policy: String) throws {
        let object = try harness.created(#"{"spec":{"containers":[{"name":"c","image":"\#(image)"}]}}"#)
        #expect(object.at("spec", "containers")?[0]?["imagePullPolicy"]?.string == policy)
    }

    @Test(arguments: [
        ("{}", "BestEffort"), (#"{"requests":{"cpu":"1"}}"#, "Burstable"),
        (#"{"limits":{"cpu":"1","memory":"1Gi"}}"#, "Guaranteed"),
        (#"{"limits":{"cpu":"1","memory":"1Gi"},"requests":{"cpu":"1000m","memory":"1Gi"}}"#, "Guaranteed"),
        (#"{"limits":{"cpu":"1","memory":"1Gi"},"requests":{"cpu":"500m"}}"#, "Burstable"),
        (#"{"limits":{"cpu":"1"}}"#, "Burstable"),
    ])
    func `the quality of service follows from the resources`(resources: String, expected: String) throws {
        let object = try harness.pod(container: #""resources":\#(resources)"#)
        #expect(object.at("status", "qosClass")?.string == expected)
    }

    @Test(
        arguments: [
            (
                #""restartPolicy":"X""#, "",
                [
                    "spec.restartPolicy: Unsupported value: \"X\": supported values: \"Always\", \"Never\", \"OnFailure\""
                ]
            ),
            (
                #""volumes":[{"name":"v","emptyDir":{},"hostPath":{"path":"/"}}]"#, "",
                [
                    "spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type"
                ]
            ),
            (
                "", #""volumeMounts":[{"name":"x","mountPath":"/x"}]"#,
                [
                    "spec.containers[0].volumeMounts[0].name: Not found: \"x\""
                ]
            ),
            (
                "", #""ports":[{"containerPort":70000}]"#,
                [
                    "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive"
                ]
            ),
            (
                "", #""livenessProbe":{}"#,
                [
                    "spec.containers[0].livenessProbe: Required value: must specify a handler type"
                ]
            ),
            (
                "", #""resources":{"limits":{"cpu":"1"},"requests":{"cpu":"2"}}"#,
                [
                    "spec.containers[0].resources.requests: Invalid value: \"2\": must be less than or equal to cpu limit of 1"
                ]
            ),
        ] as [(String, String, [String])])
    func `what is wrong with a Pod is told`(spec: String, container: String, causes: [String]) throws {
        #expect(harness.refusal { try harness.pod(spec, container: container) } == causes)
    }

    @Test func `only images, deadlines and tolerations of a Pod change`() throws {
        let object = try harness.pod()
        let image = try harness.updated(
            object, #"{"spec":{"containers":[{"name":"c","image":"j","imagePullPolicy":"Always"}]}}"#)
        #expect(image.at("spec", "containers")?[0]?["image"] == "j")
        let refusal = harness.refusal { try harness.updated(object, #"{"spec":{"hostname":"h"}}"#) }
        #expect(refusal.first?.hasPrefix("spec: Forbidden: pod updates may not change fields other than") == true)
        let bound = try harness.updated(
            object, #"{"spec":{"nodeName":"n"},"status":{"reason":"r"}}"#, subresource: "binding")
        #expect(bound.at("spec", "nodeName") == "n")
        #expect(bound.at("status", "reason") == "r")
    }

    @Test(arguments: [
        (#"{"podIP":"10.0.0.1"}"#, #"["10.0.0.1"]"#),
        (#"{"podIPs":[{"ip":"10.0.0.1"},{"ip":"fd00::1"}]}"#, #"["10.0.0.1","fd00::1"]"#),
        (#"{"podIP":"10.0.0.2","podIPs":[{"ip":"10.0.0.1"},{"ip":"fd00::1"}]}"#, #"["10.0.0.2"]"#),
    ])
    func `the singular address and the plural ones agree`(status: String, addresses: String) throws {
        let object = try harness.updated(harness.pod(), #"{"status":\#(status)}"#, subresource: "status")
        let found = object.at("status", "podIPs")?.array?.compactMap { $0["ip"] } ?? []
        #expect(JSONValue.array(found).text() == addresses)
        #expect(object.at("status", "podIP") == found.first)
    }

    @Test(arguments: [
        (
            #"{"podIPs":[{"ip":"10.0.0.1"},{"ip":"10.0.0.2"}]}"#,
            "status.podIPs: Invalid value: [{\"IP\":\"10.0.0.1\"},{\"IP\":\"10.0.0.2\"}]: may specify no more than one IP "
                + "for each IP family"
        ),
        (
            #"{"podIPs":[{"ip":"x"}]}"#,
            "status.podIPs[0]: Invalid value: \"x\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
        ),
        (
            #"{"podIPs":[{"ip":"010.0.0.1"}]}"#,
            "status.podIPs[0]: Invalid value: \"010.0.0.1\": must not have leading 0s"
        ),
        (
            #"{"hostIP":"10.0.0.1","hostIPs":[{"ip":"10.0.0.1"},{"ip":"fd00::1"},{"ip":"fd00::2"}]}"#,
            "status.hostIPs: Invalid value: [{\"IP\":\"10.0.0.1\"},{\"IP\":\"fd00::1\"},{\"IP\":\"fd00::2\"}]: "
                + "may specify no more than one IP for each IP family"
        ),
        (
            #"{"hostIPs":[{"ip":"10.0.0.1"}]}"#,
            "status.hostIPs[0].ip: Invalid value: \"10.0.0.1\": must be equal to `hostIP`"
        ),
    ])
    func `addresses that do not fit are refused`(status: String, cause: String) throws {
        let object = try harness.pod()
        #expect(
            harness.refusal { try harness.updated(object, #"{"status":\#(status)}"#, subresource: "status") } == [cause]
        )
    }
}
