import Foundation
import JSON
import Testing

private struct Port: Codable, Hashable {
    var name: String?
    var port: UInt16
    var weight: Double?
}

private struct Object: Codable, Hashable {
    var kind: String
    var labels: [String: String]?
    var ports: [Port]?
    var raw: JSONValue?
    var ready: Bool?
    var nothing: Int?
}

@Suite struct `Codable over JSON values` {
    private static let text = """
        {"kind":"Service","labels":{"a":"b"},"ports":[{"name":"http","port":80,"weight":0.5},{"port":443}],\
        "raw":{"x":[1,null,{"y":"z"}]},"ready":true}
        """

    @Test func `decodes what Foundation decodes, and encodes it back`() throws {
        let value = try JSONValue(text: Self.text)
        let object = try JSONValueDecoder().decode(Object.self, from: value)
        #expect(object == (try JSONDecoder().decode(Object.self, from: Data(Self.text.utf8))))
        #expect(try JSONValueEncoder().encode(object) == value)
        #expect(object.raw == ["x": [1, nil, ["y": "z"]]])
    }

    @Test func `JSON values pass through other coders`() throws {
        let value = try JSONValue(text: Self.text)
        let data = try JSONEncoder().encode(value)
        #expect(try JSONValue(parsing: data) == value)
        #expect(try JSONDecoder().decode(JSONValue.self, from: data) == value)
        #expect(try JSONValueDecoder().decode(JSONValue.self, from: value) == value)
        #expect(try JSONValueEncoder().encode(value) == value)
    }

    @Test(arguments: [
        (#"{"kind":1}"#, "kind: expected a string, found 1"), ("{}", "kind: required, but missing"),
        (#"{"kind":"a","ports":[{"port":80},{"port":"80"}]}"#, #"ports[1].port: expected an integer, found "80""#),
        (#"{"kind":"a","ports":[{"port":70000}]}"#, "ports[0].port: expected an integer of 0...65535, found 70000"),
        (#"{"kind":"a","ports":[{"port":1.5}]}"#, "ports[0].port: expected an integer of 0...65535, found 1.5"),
        (#"{"kind":"a","ports":{}}"#, "ports: expected an array, found an object"),
        (#"{"kind":"a","labels":{"x":null}}"#, "labels.x: expected a string, found null"),
        (#"{"kind":"a","ready":"yes"}"#, #"ready: expected a boolean, found "yes""#),
        ("[]", "expected an object, found an array"),
    ])
    func `a wrong value is named with its place`(text: String, message: String) throws {
        let value = try JSONValue(text: text)
        let error = #expect(throws: JSONDecodingError.self) { try JSONValueDecoder().decode(Object.self, from: value) }
        #expect(error?.description == message)
    }

    @Test func `null and missing are nil`() throws {
        let object = try JSONValueDecoder().decode(Object.self, from: ["kind": "a", "nothing": nil, "ports": nil])
        #expect(object == Object(kind: "a"))
        #expect(try JSONValueEncoder().encode(object) == ["kind": "a"])
    }

    @Test func `scalars, arrays and dictionaries encode on their own`() throws {
        let encoder = JSONValueEncoder()
        #expect(try encoder.encode(1) == 1)
        #expect(try encoder.encode(["a", "b"]) == ["a", "b"])
        #expect(try encoder.encode(["a": [1, 2]]) == ["a": [1, 2]])
        #expect(try encoder.encode([Int?.some(1), nil]) == [1, nil])
        #expect(try encoder.encode([Int]()) == [])
        #expect(try encoder.encode([String: Int]()) == [:])
        #expect(try encoder.encode(UInt64.max) == .double(Double(UInt64.max)))
        #expect(throws: EncodingError.self) { try encoder.encode(Double.nan) }
        #expect(try JSONValueDecoder().decode([Int?].self, from: [1, nil]) == [1, nil])
    }
}
