import JSON
import KubernetesAPI
import Testing

@Suite struct ApplyTests {
    /// An object that managers apply to and write, one after another.
    struct Subject {
        let kind: String
        var object: JSONValue?
        var owners = ManagedFields()
        var clock = 0

        init(_ kind: String, _ object: String? = nil) throws {
            self.kind = kind
            self.object = try object.map { try JSONValue(text: $0) }
        }

        private mutating func writer(_ manager: String) -> FieldWriter {
            clock += 1
            return FieldWriter(
                manager: manager, apiVersion: "v1", subresource: "", time: "2030-01-01T00:00:0\(clock)Z")
        }

        mutating func apply(_ manager: String, _ text: String, force: Bool = false) throws {
            let request = ApplyRequest(
                writer: writer(manager), live: object, owners: owners, configuration: try JSONValue(text: text),
                isForced: force, shape: try Sample.shape(kind))
            let (object, owners) = try request.run()
            self.object = object
            self.owners = owners
        }

        mutating func write(_ manager: String, _ text: String) throws {
            let new = try JSONValue(text: text)
            let changes = FieldChanges(from: object, to: new, try Sample.shape(kind))
            let writer = writer(manager)
            if object == nil {
                owners = ManagedFields(creator: writer, changes)
            } else {
                owners.record(changes, by: writer)
            }
            object = new
        }

        /// Each manager's fields; an asterisk marks who applies.
        var summary: [String: String] {
            owners.entries.reduce(into: [:]) {
                $0[$1.manager + ($1.isApplied ? "*" : "")] = $1.fields.paths.joined(separator: " ")
            }
        }
    }

    /// Columns: what is there, and the empty object or list that is applied over it, once and again.
    @Test(arguments: [
        (#"{"spec":{"containers":[{"name":"c","image":"i"}]}}"#, #"{"spec":{}}"#),
        (#"{"metadata":{"labels":{"a":"b"}}}"#, #"{"metadata":{"labels":{}}}"#),
        (#"{"metadata":{"annotations":{"a":"b"}},"spec":{"nodeSelector":{"k":"v"}}}"#, #"{"metadata":{},"spec":{}}"#),
        (
            #"{"spec":{"containers":[{"name":"c","securityContext":{"runAsUser":1}}]}}"#,
            #"{"spec":{"containers":[{"name":"c","securityContext":{}}]}}"#
        ),
    ])
    func `an empty object that is applied again takes nothing from others`(live: String, empty: String) throws {
        var subject = try Subject("Pod")
        try subject.write("u", live)
        for _ in 0..<3 {
            try subject.apply("a", empty)
            #expect(subject.object == (try JSONValue(text: live)))
        }
    }

    @Test func `what the manager lets go is removed unless another applies it`() throws {
        var subject = try Subject("ConfigMap")
        try subject.apply("a", #"{"data":{"x":"1","y":"1","z":"1"}}"#)
        try subject.apply("b", #"{"data":{"y":"1"}}"#)
        try subject.write("u", #"{"data":{"x":"1","y":"1","z":"2"}}"#)
        #expect(subject.summary == ["a*": ".data.x .data.y", "b*": ".data.y", "u": ".data.z"])
        try subject.apply("a", #"{"data":{}}"#)
        #expect(subject.object == ["data": ["y": "1", "z": "2"]])
        #expect(subject.summary == ["a*": ".data", "b*": ".data.y", "u": ".data.z"])
    }

    @Test func `another's field conflicts unless the value is the same or force takes it`() throws {
        var subject = try Subject("ConfigMap")
        try subject.apply("a", #"{"data":{"x":"1","y":"1"}}"#)
        try subject.apply("b", #"{"data":{"x":"1"}}"#)
        #expect(subject.summary == ["a*": ".data.x .data.y", "b*": ".data.x"])
        let conflict = ApplyConflict(fields: [.init(manager: #""a""#, path: ".data.x")])
        #expect(throws: ApplyFailure.conflict(conflict)) { try subject.apply("b", #"{"data":{"x":"2"}}"#) }
        try subject.apply("b", #"{"data":{"x":"2"}}"#, force: true)
        #expect(subject.object == ["data": ["x": "2", "y": "1"]])
        #expect(subject.summary == ["a*": ".data.y", "b*": ".data.x"])
    }

    @Test func `the same configuration again changes nothing, not even the time`() throws {
        var subject = try Subject("Service")
        let configuration =
            #"{"metadata":{"name":"s","labels":{"a":"b"}},"spec":{"ports":[{"port":80}],"selector":{"x":"y"}}}"#
        try subject.apply("a", configuration)
        try subject.write(
            "u",
            #"{"metadata":{"name":"s","labels":{"a":"b"}},"spec":{"ports":[{"port":80,"protocol":"TCP","nodePort":3}],"selector":{"x":"y"}}}"#
        )
        let before = subject
        try subject.apply("a", configuration)
        #expect(subject.object == before.object)
        #expect(subject.owners.json == before.owners.json)
        #expect(
            subject.summary["u"]
                == #".spec.ports[port=80,protocol="TCP"].nodePort .spec.ports[port=80,protocol="TCP"].protocol"#)
    }

    @Test func `elements of others stay in their places`() throws {
        var subject = try Subject(
            "Pod",
            #"{"spec":{"containers":[{"name":"a","image":"1"},{"name":"x","image":"1"},{"name":"b","image":"1"}]}}"#)
        try subject.apply(
            "m", #"{"spec":{"containers":[{"name":"b","image":"2"},{"name":"n"},{"name":"a"}]}}"#, force: true)
        #expect(
            try subject.object
                == JSONValue(
                    text:
                        #"{"spec":{"containers":[{"name":"x","image":"1"},{"name":"b","image":"2"},{"name":"n"},{"name":"a","image":"1"}]}}"#
                ))
        try subject.apply("m", #"{"spec":{"containers":[{"name":"b"}]}}"#)
        #expect(
            try subject.object
                == JSONValue(
                    text: #"{"spec":{"containers":[{"name":"x","image":"1"},{"name":"b"}]}}"#))
    }

    @Test func `an object without owners belongs to before-first-apply`() throws {
        var subject = try Subject("ConfigMap", #"{"data":{"x":"1","y":"1"}}"#)
        try subject.apply("a", #"{"data":{"x":"1"}}"#)
        #expect(subject.summary == ["a*": ".data.x", "before-first-apply": ".data .data.x .data.y"])
        let conflict = ApplyConflict(fields: [.init(manager: #""before-first-apply" using v1"#, path: ".data.y")])
        #expect(throws: ApplyFailure.conflict(conflict)) { try subject.apply("a", #"{"data":{"y":"2"}}"#) }
    }

    @Test func `kubectl takes over what it applied on the client's side`() throws {
        let annotation = #"\"data\":{\"x\":\"1\",\"y\":\"1\"}"#
        let live =
            #"{"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"apiVersion\":\"v1\","#
            + annotation + #"}"}},"data":{"x":"1","y":"7"}}"#
        var subject = try Subject("ConfigMap")
        try subject.write("kubectl-client-side-apply", live)
        try subject.apply("kubectl", #"{"data":{"x":"2"}}"#)
        #expect(subject.object?["data"] == ["x": "2", "y": "7"])
        #expect(throws: ApplyFailure.self) { try subject.apply("kubectl", #"{"data":{"y":"2"}}"#) }
        #expect(throws: ApplyFailure.self) { try subject.apply("other", #"{"data":{"x":"3"}}"#) }
    }

    @Test(arguments: [
        (
            #"{"spec":{"ports":[{"port":80},{"port":80,"protocol":"TCP"}]}}"#,
            #".spec.ports: duplicate entries for key [port=80,protocol="TCP"]"#
        ),
        (
            #"{"spec":{"ports":[{"name":"x"}]}}"#,
            #".spec.ports: element 0: associative list with keys has an element that omits key field "port" (and doesn't have default value)"#
        ),
        (#"{"metadata":{"finalizers":["a","a"]}}"#, #".metadata.finalizers: duplicate entries for key [="a"]"#),
    ])
    func `a configuration must say which elements it means`(configuration: String, message: String) throws {
        var subject = try Subject("Service")
        do {
            try subject.apply("a", configuration)
            Issue.record("applied")
        } catch ApplyFailure.malformed(let error) {
            #expect(error.description == message)
        }
    }

    @Test func `many writers are put together, and all fields keep an owner`() throws {
        var subject = try Subject("ConfigMap")
        var data: [String] = []
        for index in 0..<30 {
            data.append(#""k\#(index)":"v""#)
            try subject.write("m\(index)", #"{"data":{\#(data.joined(separator: ","))}}"#)
        }
        #expect(subject.owners.entries.count == 10)
        let all = subject.owners.entries.reduce(FieldSet()) { $0.union($1.fields) }
        #expect(all.paths.count == 31)
        #expect(subject.summary["ancient-changes"]?.contains(".data.k0 ") == true)
    }

    @Test func `the list reads and writes itself, and a reset is known`() throws {
        var subject = try Subject("Service")
        try subject.apply("a", #"{"spec":{"ports":[{"port":80}]}}"#)
        try subject.write("u", #"{"spec":{"ports":[{"port":80}],"type":"NodePort"}}"#)
        let json = try #require(subject.owners.json)
        #expect(json[0]?["manager"] == "a")
        #expect(json[1]?["operation"] == "Update")
        #expect(ManagedFields(sent: json)?.json == json)
        #expect(ManagedFields(stored: json, apiVersion: "v1").json == json)
        #expect(ManagedFields(stored: json, apiVersion: "v2").json == nil)
        #expect(ManagedFields(sent: [["operation": "Apply"]]) == nil)
        #expect(ManagedFields.isReset([]) && ManagedFields.isReset([[:]]) && !ManagedFields.isReset(json))
    }
}
