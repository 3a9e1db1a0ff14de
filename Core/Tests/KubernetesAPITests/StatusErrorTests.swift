import JSON
import KubernetesAPI
import Testing

@Suite struct StatusErrorTests {
    @Test(arguments: [
        (FieldError.invalid("spec.clusterIP", "x", "must be y"), "spec.clusterIP: Invalid value: \"x\": must be y"),
        (
            .invalid("spec.clusterIPs", ["10.0.0.1", ""], "no"),
            "spec.clusterIPs: Invalid value: [\"10.0.0.1\",\"\"]: no"
        ),
        (.invalid("spec.replicas", -1, "no"), "spec.replicas: Invalid value: -1: no"),
        (.required("spec.ports"), "spec.ports: Required value"),
        (.required("spec.cidrs", "at least one"), "spec.cidrs: Required value: at least one"),
        (.forbidden("spec.x", "may not be set"), "spec.x: Forbidden: may not be set"),
        (.duplicate("spec.ports[1].name", "a"), "spec.ports[1].name: Duplicate value: \"a\""),
        (
            .notSupported("spec.type", "X", ["A", "B"]),
            "spec.type: Unsupported value: \"X\": supported values: \"A\", \"B\""
        ),
        (.notFound("spec.x", "a"), "spec.x: Not found: \"a\""),
        (.tooLong("metadata.name", limit: 63), "metadata.name: Too long: may not be more than 63 bytes"),
        (.tooMany("endpoints", count: 1001, limit: 1000), "endpoints: Too many: 1001: must have at most 1000 items"),
    ])
    func `a field error reads as in Kubernetes`(error: FieldError, text: String) {
        #expect(error.description == text)
    }

    @Test func `one cause stands alone, several stand in brackets, repetitions are told once`() {
        let type = FieldError.required("spec.type")
        let ports = FieldError.required("spec.ports")
        let one = StatusError.invalid(kind: "Service", group: "", name: "s", causes: [type])
        #expect(one.message == "Service \"s\" is invalid: spec.type: Required value")
        let many = StatusError.invalid(kind: "Deployment", group: "apps", name: "d", causes: [type, ports, type])
        #expect(
            many.message
                == "Deployment.apps \"d\" is invalid: [spec.type: Required value, spec.ports: Required value]")
        #expect(many.details?.causes.count == 3)
    }

    @Test func `a Status object survives the way through the wire`() throws {
        var error = StatusError.invalid(
            kind: "Service", group: "", name: "s", causes: [.required("spec.ports"), .invalid("spec.x", 1, "no")])
        error.details?.retryAfterSeconds = 2
        error.details?.uid = "u"
        error.details?.group = nil
        #expect(try #require(StatusError(status: JSONValue(text: error.status.text()))) == error)
    }

    @Test func `a success is no error`() {
        #expect(StatusError(status: ["kind": "Status", "status": "Success"]) == nil)
        #expect(StatusError(status: ["kind": "Pod"]) == nil)
    }

    @Test(arguments: [
        (StatusError.notFound(.pods, "a"), 404, "pods \"a\" not found"),
        (.alreadyExists(.deployments, "a"), 409, "deployments.apps \"a\" already exists"),
        (
            .modified(.services, "a"), 409,
            "Operation cannot be fulfilled on services \"a\": the object has been modified; please apply your changes "
                + "to the latest version and try again"
        ),
        (.forbidden(.pods, "", "no"), 403, "pods is forbidden: no"),
        (.internalError("x"), 500, "Internal error occurred: x"),
        (.requestEntityTooLarge(limit: 3), 413, "Request entity too large: limit is 3"),
    ])
    func `the usual errors have their code and text`(error: StatusError, code: Int, message: String) {
        #expect(error.code == code)
        #expect(error.message == message)
    }
}
