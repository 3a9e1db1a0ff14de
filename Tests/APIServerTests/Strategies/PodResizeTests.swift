import JSON
import KubernetesAPI
import Testing

@Suite struct PodResizeTests {
    private static let pod = """
        {"spec":{"automountServiceAccountToken":false,"containers":[
        {"name":"a","image":"i","resources":{"requests":{"cpu":"1","memory":"1Gi"},"limits":{"cpu":"2","memory":"2Gi"}}},
        {"name":"b","image":"i","resources":{"requests":{"cpu":"1"},"limits":{"example.com/x":"1"}}}],
        "initContainers":[{"name":"i","image":"i"},{"name":"s","image":"i","restartPolicy":"Always"}]}}
        """

    private static func containers(
        _ a: String, _ b: String = #"{"requests":{"cpu":"1","example.com/x":"1"},"limits":{"example.com/x":"1"}}"#
    ) -> String {
        #"{"spec":{"containers":[{"name":"a","resources":\#(a)},{"name":"b","resources":\#(b)}]}}"#
    }

    private static let same = #"{"requests":{"cpu":"1","memory":"1Gi"},"limits":{"cpu":"2","memory":"2Gi"}}"#

    /// Columns: the change, the causes of its refusal.
    @Test(
        arguments: [
            (containers(same), []),
            (containers(#"{"requests":{"cpu":"2","memory":"1Gi"},"limits":{"cpu":"3","memory":"3Gi"}}"#), []),
            (
                containers(#"{"requests":{"cpu":"4","memory":"1Gi"},"limits":{"cpu":"2","memory":"2Gi"}}"#),
                [
                    "spec.containers[0].resources.requests: Invalid value: \"4\": must be less than or equal to cpu limit of 2"
                ]
            ),
            (
                containers(#"{"requests":{"cpu":"1","memory":"1Gi"},"limits":{"cpu":"2"}}"#),
                ["spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed"]
            ),
            (
                containers(same, #"{"requests":{"cpu":"1"},"limits":{"example.com/x":"2"}}"#),
                ["spec: Forbidden: only cpu and memory resources are mutable"]
            ),
            (
                #"{"spec":{"containers":[{"name":"a","resources":\#(same)}]}}"#,
                ["spec.containers: Forbidden: containers may not be added or removed on resize"]
            ),
            (
                #"{"spec":{"containers":[{"name":"b"},{"name":"a"}]}}"#,
                [
                    "spec.containers[0].name: Forbidden: containers may not be renamed or reordered on resize",
                    "spec.containers[1].name: Forbidden: containers may not be renamed or reordered on resize",
                ]
            ),
            (
                #"{"spec":{"initContainers":[{"name":"i","resources":{"requests":{"cpu":"1"}}},{"name":"s"}]}}"#,
                ["spec.initContainers[0].resources: Forbidden: resources for non-sidecar init containers are immutable"]
            ),
            (
                #"{"spec":{"initContainers":[{"name":"i","resources":{}},{"name":"s","resources":{"requests":{"cpu":"1"}}}]}}"#,
                []
            ),
        ] as [(String, [String])])
    func `only processor time and memory change`(patch: String, refusal: [String]) throws {
        let harness = try StrategyHarness(.pods)
        let pod = try harness.created(Self.pod)
        #expect(harness.refusal { try harness.updated(pod, patch, subresource: "resize") } == refusal)
    }

    @Test func `everything else stays as it was`() throws {
        let harness = try StrategyHarness(.pods)
        let pod = try harness.created(Self.pod)
        let patch = """
            {"spec":{"nodeName":"n","containers":[{"name":"a","image":"other","resources":{"requests":{"cpu":"1500m",
            "memory":"1Gi"},"limits":{"cpu":"2","memory":"2Gi"}},"resizePolicy":[{"resourceName":"cpu",
            "restartPolicy":"RestartContainer"}]},{"name":"b","resources":{"requests":{"cpu":"1"},
            "limits":{"example.com/x":"1"}}}]},"status":{"phase":"Failed"}}
            """
        let resized = try harness.updated(pod, patch, subresource: "resize")
        var containers = pod.at("spec", "containers")?.array ?? []
        containers[0].set("1500m", at: "resources", "requests", "cpu")
        containers[0]["resizePolicy"] = [["resourceName": "cpu", "restartPolicy": "RestartContainer"]]
        var expected = pod
        expected.set(.array(containers), at: "spec", "containers")
        #expect(resized == expected)
    }

    /// Columns: what the node says of the running container, the causes of the refusal.
    @Test(
        arguments: [
            (#"{"state":{"waiting":{}}}"#, []), (#"{"state":{"running":{}},"resources":{}}"#, []),
            (#"{"state":{"running":{}}}"#, ["spec: Forbidden: Pod running on node without support for resize"]),
        ] as [(String, [String])])
    func `a running pod is resized only by a node that can`(container: String, refusal: [String]) throws {
        let harness = try StrategyHarness(.pods)
        let pod = try harness.updated(
            harness.created(Self.pod), #"{"status":{"containerStatuses":[\#(container)]}}"#, subresource: "status")
        #expect(
            harness.refusal { try harness.updated(pod, Self.containers(Self.same), subresource: "resize") } == refusal)
    }

    @Test func `the class of a pod stays, and a pod of the node's own is not resized`() throws {
        let harness = try StrategyHarness(.pods)
        let plain = try harness.created(
            #"{"spec":{"automountServiceAccountToken":false,"containers":[{"name":"c","image":"i"}]}}"#)
        let patch = #"{"spec":{"containers":[{"name":"c","resources":{"requests":{"cpu":"1"}}}]}}"#
        #expect(
            harness.refusal { try harness.updated(plain, patch, subresource: "resize") }
                == [#"spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing"#])
        let mirror = try harness.updated(plain, #"{"metadata":{"annotations":{"kubernetes.io/config.mirror":"x"}}}"#)
        #expect(
            harness.refusal { try harness.updated(mirror, patch, subresource: "resize") }
                == [": Forbidden: static pods cannot be resized"])
    }
}
