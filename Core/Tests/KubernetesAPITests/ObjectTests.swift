import JSON
import KubernetesAPI
import Testing

@Suite struct ObjectTests {
    @Test(
        arguments: [
            (Resource.nodes, nil, nil, nil, "/api/v1/nodes"),
            (.pods, nil, nil, nil, "/api/v1/pods"),
            (.pods, "a", nil, nil, "/api/v1/namespaces/a/pods"),
            (.deployments, "a", "b", "status", "/apis/apps/v1/namespaces/a/deployments/b/status"),
            (.namespaces, nil, "a", "finalize", "/api/v1/namespaces/a/finalize"),
        ] as [(Resource, String?, String?, String?, String)])
    func `Paths follow group, scope and subresource`(
        resource: Resource, namespace: String?, name: String?, subresource: String?, path: String
    ) {
        #expect(resource.path(namespace: namespace, name: name, subresource: subresource) == path)
    }

    @Test func `A pod survives the way through its typed form`() throws {
        let json = try JSONValue(
            text: """
                {"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"b","labels":{"x":"y"}},
                 "spec":{"containers":[{"name":"c","image":"i","ports":[{"containerPort":80,"protocol":"TCP"}],
                 "resources":{"requests":{"cpu":"100m"}},
                 "livenessProbe":{"httpGet":{"port":"http"},"periodSeconds":3}}],
                 "tolerations":[{"key":"k","operator":"Exists"}]},
                 "status":{"phase":"Running","podIPs":[{"ip":"10.0.0.1"},{"ip":"fd00::1"}],
                 "conditions":[{"type":"Ready","status":"True","lastTransitionTime":"2024-01-01T00:00:00Z"}]}}
                """)
        let pod = try Pod(json: json)
        #expect(pod.addresses == ["10.0.0.1", "fd00::1"])
        #expect(pod.isReady)
        #expect(pod.readySince == Timestamp(seconds: 1_704_067_200))
        #expect(pod.spec?.containers.first?.livenessProbe?.httpGet?.port == "http")
        #expect(try pod.json() == json)
    }

    @Test func `A template keeps fields that the types do not know`() throws {
        let json = try JSONValue(
            text: """
                {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a"},
                 "spec":{"template":{"spec":{"containers":[],"future":{"deep":[1,null]}}}}}
                """)
        #expect(try Deployment(json: json).json() == json)
    }

    @Test func `Conditions keep their time while the status stays`() {
        var conditions: [Condition] = []
        let changes = [
            conditions.set("Ready", "False", at: "1"),
            conditions.set("Ready", "False", at: "2"),
            conditions.set("Ready", "False", reason: "R", at: "3"),
        ]
        #expect(changes == [true, false, true])
        #expect(conditions["Ready"]?.lastTransitionTime == "1")
        conditions.set("Ready", "True", reason: "R", at: "4")
        #expect(conditions["Ready"]?.lastTransitionTime == "4")
        #expect(conditions.isTrue("Ready"))
    }
}
