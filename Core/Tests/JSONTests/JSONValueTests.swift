import JSON
import TestSupport
import Testing

@Suite struct `JSON values` {
    @Test func `are reached and set by keys`() {
        var value: JSONValue = ["metadata": ["labels": ["app": "web"]], "ports": [80, 443], "n": 2.0]
        #expect(value.at("metadata", "labels", "app")?.string == "web")
        #expect(value.at("metadata", "annotations", "app") == nil)
        #expect(value["ports"]?[1]?.int == 443)
        #expect(value["ports"]?[2] == nil)
        #expect(value["n"]?.int == 2)
        #expect(value["ports"]?["x"] == nil)
        value.set("v1", at: "metadata", "annotations", "a/b")
        #expect(value.at("metadata", "annotations") == ["a/b": "v1"])
        value.set(nil, at: "metadata", "labels", "app")
        #expect(value.at("metadata", "labels") == [:])
        value.set(nil, at: "no", "such", "place")
        #expect(value["no"] == nil)
        value["ports"] = nil
        #expect(value.object?.keys == ["metadata", "n"])
        var null = JSONValue.null
        null["a"] = 1
        #expect(null == ["a": 1])
    }

    @Test func `compare numbers by value and members in any order`() {
        #expect(JSONValue.integer(1) == .double(1))
        #expect(JSONValue.integer(1).hashValue == JSONValue.double(1).hashValue)
        #expect(JSONValue.double(1.5) != .integer(1))
        let left: JSONValue = ["a": 1, "b": [2]]
        let right: JSONValue = ["b": [2], "a": 1]
        #expect(left == right)
        #expect(Set([left, right]).count == 1)
        #expect(left != ["a": 1, "b": [2], "c": nil])
        #expect(JSONValue.null != false)
    }

    @Test(arguments: UInt64(1)...4)
    func `objects behave like dictionaries`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var object = JSONObject()
        var model: [String: JSONValue] = [:]
        for step in 0..<2000 {
            let key = "k\(Int.random(in: 0..<40, using: &generator))"
            let value: JSONValue? = Int.random(in: 0..<5, using: &generator) < 2 ? nil : .integer(Int64(step))
            object[key] = value
            model[key] = value
            #expect(object.count == model.count && object[key] == model[key], "seed \(seed) step \(step)")
        }
        #expect(Set(object.keys) == Set(model.keys), "seed \(seed)")
        #expect(object.allSatisfy { model[$0.key] == $0.value }, "seed \(seed)")
    }
}
