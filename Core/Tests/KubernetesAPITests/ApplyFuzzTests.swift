import JSON
import KubernetesAPI
import TestSupport
import Testing

/// Random configurations of random managers, each run from a seed that a failure names.
@Suite struct ApplyFuzzTests {
    private static func flag(_ generator: inout SeededGenerator) -> Bool { Bool.random(using: &generator) }

    private static func configuration(_ generator: inout SeededGenerator) -> JSONValue {
        var object: JSONValue = [:]
        if flag(&generator) {
            object.set(["x": .integer(Int64.random(in: 0...2, using: &generator))], at: "metadata", "labels")
        }
        if flag(&generator) { object.set([.string("a/b")], at: "metadata", "finalizers") }
        if flag(&generator) {
            object.set(["k": .string(flag(&generator) ? "1" : "2")], at: "spec", "nodeSelector")
        }
        var containers: [JSONValue] = []
        for name in ["a", "b", "c"].shuffled(using: &generator) where flag(&generator) {
            var container: JSONValue = ["name": .string(name)]
            if flag(&generator) { container["image"] = .string(flag(&generator) ? "i" : "j") }
            if flag(&generator) {
                container["ports"] = [["containerPort": .integer(Int64.random(in: 1...3, using: &generator))]]
            }
            if flag(&generator) { container["securityContext"] = [:] }
            containers.append(container)
        }
        if !containers.isEmpty { object.set(.array(containers), at: "spec", "containers") }
        return object
    }

    @Test func `an apply takes effect, again changes nothing, and every field keeps a place`() throws {
        let shape = try Sample.shape("Pod")
        for seed in 0..<400 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            var live: JSONValue?
            var owners = ManagedFields()
            for step in 0..<8 {
                let manager = ["m", "n", "kubectl"].randomElement(using: &generator) ?? ""
                let configuration = Self.configuration(&generator)
                if step % 3 == 2, let old = live {
                    let changes = FieldChanges(from: old, to: configuration, shape)
                    owners.record(
                        changes, by: FieldWriter(manager: manager, apiVersion: "v1", subresource: "", time: "\(step)"))
                    live = configuration
                    try Self.check(owners, configuration, shape, seed)
                    continue
                }
                func apply(_ force: Bool, _ time: String) throws -> (object: JSONValue, owners: ManagedFields) {
                    try ApplyRequest(
                        writer: FieldWriter(manager: manager, apiVersion: "v1", subresource: "", time: time),
                        live: live, owners: owners, configuration: configuration, isForced: force, shape: shape
                    ).run()
                }
                let once = try (try? apply(false, "\(step)")) ?? apply(true, "\(step)")
                live = once.object
                owners = once.owners
                let twice = try apply(false, "later")
                #expect(twice.object == once.object, "seed \(seed)")
                #expect(twice.owners.json == once.owners.json, "seed \(seed)")
                let given = FieldSet(of: configuration, shape)
                let held = FieldSet(of: once.object, shape)
                #expect(given.subtracting(held).isEmpty, "seed \(seed): \(given.subtracting(held).paths)")
                let own = FieldChanges(from: configuration, to: once.object, shape).changed
                #expect(own.intersection(given).isEmpty, "seed \(seed): \(own.intersection(given).paths)")
                try Self.check(owners, once.object, shape, seed)
            }
        }
    }

    /// Nobody owns what is not there, and what is written is read again.
    private static func check(
        _ owners: ManagedFields, _ object: JSONValue, _ shape: OwnershipShape, _ seed: UInt64
    ) throws {
        let present = FieldSet(of: object, shape, withContainers: true)
        for entry in owners.entries {
            let missing = entry.fields.subtracting(present).paths.filter { !$0.hasSuffix("containers") }
            #expect(missing.isEmpty, "seed \(seed): \(entry.manager) owns \(missing) of \(object)")
        }
        #expect(ManagedFields(stored: owners.json, apiVersion: "v1").json == owners.json, "seed \(seed)")
        if let json = owners.json { #expect(ManagedFields(sent: json)?.json == json, "seed \(seed)") }
    }

    @Test func `random strategic patches leave an object or are refused`() throws {
        let schema = try #require(Schema.node(for: .pods))
        for seed in 0..<2_000 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            let object = Self.configuration(&generator)
            var patch = Self.configuration(&generator)
            let directives: [JSONValue] = [
                ["$patch": "delete", "name": "a"], ["$patch": "replace"], ["$patch": "merge"],
                ["$retainKeys": ["name"]],
                ["$setElementOrder/containers": [["name": "b"], ["name": "a"]]], ["name": nil], nil, 1,
                ["$deleteFromPrimitiveList/finalizers": ["a/b"]],
            ]
            let isPlain = Self.flag(&generator)
            if !isPlain {
                let directive = directives.randomElement(using: &generator) ?? nil
                switch Int.random(in: 0...2, using: &generator) {
                case 0: patch.mergePatch(["spec": directive])
                case 1: patch.set(.array([directive]), at: "spec", "containers")
                default: patch.mergePatch(["metadata": directive])
                }
            }
            var result = object
            do {
                try StrategicMergePatch.apply(patch, to: &result, schema: schema)
            } catch {
                #expect(error.code == 400 || error.code == 422, "seed \(seed): \(error)")
                continue
            }
            #expect(result.object != nil, "seed \(seed)")
            #expect(!result.text().contains("$"), "seed \(seed): no directive stays in \(result)")
            guard isPlain else { continue }
            let once = result
            try StrategicMergePatch.apply(patch, to: &result, schema: schema)
            #expect(result == once, "seed \(seed): the same patch again changes nothing")
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func `long lists take time in proportion`() throws {
        let schema = try #require(Schema.node(for: .pods))
        let shape = try Sample.shape("Pod")
        let elements = (0..<10_000).map { ["name": .string("n\($0)"), "image": "i"] as JSONValue }
        let names = elements.reversed().map { ["name": $0["name"] ?? ""] as JSONValue }
        var object: JSONValue = ["spec": ["containers": .array(elements)], "metadata": ["finalizers": .array(names)]]
        let patch: JSONValue = [
            "spec": ["containers": .array(names), "$setElementOrder/containers": .array(names)],
            "metadata": ["finalizers": .array(names)],
        ]
        try StrategicMergePatch.apply(patch, to: &object, schema: schema)
        #expect(object.at("spec", "containers")?.array?.first == ["name": "n9999", "image": "i"])
        let changes = FieldChanges(from: object, to: ["spec": ["containers": .array(names)]], shape)
        let writer = FieldWriter(manager: "m", apiVersion: "v1", subresource: "", time: "")
        let request = ApplyRequest(
            writer: writer, live: object,
            owners: ManagedFields(creator: writer, FieldChanges(from: nil, to: object, shape)),
            configuration: ["spec": ["containers": .array(names)]], isForced: false, shape: shape)
        #expect(try request.run().object == object)
        #expect(changes.removed.paths.count > 10_000)
    }
}
