import JSON
import Testing

@Suite struct `Merge patch` {
    /// The test cases of RFC 7396, appendix A.
    @Test(arguments: [
        (#"{"a":"b"}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"b"}"#, #"{"b":"c"}"#, #"{"a":"b","b":"c"}"#),
        (#"{"a":"b"}"#, #"{"a":null}"#, "{}"), (#"{"a":"b","b":"c"}"#, #"{"a":null}"#, #"{"b":"c"}"#),
        (#"{"a":["b"]}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"c"}"#, #"{"a":["b"]}"#, #"{"a":["b"]}"#),
        (#"{"a":{"b":"c"}}"#, #"{"a":{"b":"d","c":null}}"#, #"{"a":{"b":"d"}}"#),
        (#"{"a":[{"b":"c"}]}"#, #"{"a":[1]}"#, #"{"a":[1]}"#), (#"["a","b"]"#, #"["c","d"]"#, #"["c","d"]"#),
        (#"{"a":"b"}"#, #"["c"]"#, #"["c"]"#), (#"{"a":"foo"}"#, "null", "null"),
        (#"{"a":"foo"}"#, #""bar""#, #""bar""#),
        (#"{"e":null}"#, #"{"a":1}"#, #"{"e":null,"a":1}"#), ("[1,2]", #"{"a":"b","c":null}"#, #"{"a":"b"}"#),
        ("{}", #"{"a":{"bb":{"ccc":null}}}"#, #"{"a":{"bb":{}}}"#),
    ])
    func `gives what RFC 7396 gives`(original: String, patch: String, result: String) throws {
        var value = try JSONValue(text: original)
        value.mergePatch(try JSONValue(text: patch))
        #expect(value.text() == result)
    }
}

@Suite struct `Pointers` {
    private static let document: JSONValue = [
        "foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, "k\"l": 6, " ": 7, "m~n": 8,
    ]

    /// The examples of RFC 6901 §5.
    @Test(
        arguments: [
            ("/foo", ["bar", "baz"]), ("/foo/0", "bar"), ("/", 0), ("/a~1b", 1), ("/c%d", 2), ("/e^f", 3), ("/g|h", 4),
            ("/i\\j", 5), ("/k\"l", 6), ("/ ", 7), ("/m~0n", 8), ("", document),
        ] as [(String, JSONValue)])
    func `lead where RFC 6901 says`(text: String, value: JSONValue) throws {
        let pointer = try #require(JSONPointer(text))
        #expect(Self.document[pointer] == value)
        #expect(pointer.description == text)
    }

    @Test(arguments: ["foo", "/a~2", "/a~", "~"])
    func `that are malformed are refused`(text: String) {
        #expect(JSONPointer(text) == nil)
    }

    @Test(arguments: [
        "/nope", "/foo/2", "/foo/-", "/foo/00", "/foo/+1", "/foo/0/x", "/foo/-1", "/foo/99999999999999999999",
    ])
    func `may lead nowhere`(text: String) throws {
        #expect(Self.document[try #require(JSONPointer(text))] == nil)
    }
}

@Suite struct `JSON patch` {
    /// The examples of RFC 6902, appendix A, and edge cases; nil where the patch must fail.
    @Test(
        arguments: [
            (#"{"foo":"bar"}"#, #"[{"op":"add","path":"/baz","value":"qux"}]"#, #"{"foo":"bar","baz":"qux"}"#),
            (
                #"{"foo":["bar","baz"]}"#, #"[{"op":"add","path":"/foo/1","value":"qux"}]"#,
                #"{"foo":["bar","qux","baz"]}"#
            ),
            (#"{"baz":"qux","foo":"bar"}"#, #"[{"op":"remove","path":"/baz"}]"#, #"{"foo":"bar"}"#),
            (#"{"foo":["bar","qux","baz"]}"#, #"[{"op":"remove","path":"/foo/1"}]"#, #"{"foo":["bar","baz"]}"#),
            (
                #"{"baz":"qux","foo":"bar"}"#, #"[{"op":"replace","path":"/baz","value":"boo"}]"#,
                #"{"baz":"boo","foo":"bar"}"#
            ),
            (
                #"{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}"#,
                #"[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]"#,
                #"{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}"#
            ),
            (
                #"{"foo":["all","grass","cows","eat"]}"#, #"[{"op":"move","from":"/foo/1","path":"/foo/3"}]"#,
                #"{"foo":["all","cows","eat","grass"]}"#
            ),
            (
                #"{"baz":"qux","foo":["a",2,"c"]}"#,
                #"[{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2.0}]"#,
                #"{"baz":"qux","foo":["a",2,"c"]}"#
            ),
            (#"{"baz":"qux"}"#, #"[{"op":"test","path":"/baz","value":"bar"}]"#, nil),
            (
                #"{"foo":"bar"}"#, #"[{"op":"add","path":"/child","value":{"grandchild":{}}}]"#,
                #"{"foo":"bar","child":{"grandchild":{}}}"#
            ),
            (
                #"{"foo":"bar"}"#, #"[{"op":"add","path":"/baz","value":"qux","xyz":123}]"#,
                #"{"foo":"bar","baz":"qux"}"#
            ),
            (#"{"foo":"bar"}"#, #"[{"op":"add","path":"/baz/bat","value":"qux"}]"#, nil),
            (#"{"/":9,"~1":10}"#, #"[{"op":"test","path":"/~01","value":10}]"#, #"{"/":9,"~1":10}"#),
            (#"{"/":9,"~1":10}"#, #"[{"op":"test","path":"/~01","value":"10"}]"#, nil),
            (
                #"{"foo":["bar"]}"#, #"[{"op":"add","path":"/foo/-","value":["abc","def"]}]"#,
                #"{"foo":["bar",["abc","def"]]}"#
            ),
            (#"{"a":[1]}"#, #"[{"op":"replace","path":"/a/0","value":[2]}]"#, #"{"a":[[2]]}"#),
            (#"{"a":[1]}"#, #"[{"op":"replace","path":"","value":{"b":1}}]"#, #"{"b":1}"#),
            (#"{"a":[1]}"#, #"[{"op":"replace","path":"/b","value":1}]"#, nil),
            (#"{"a":[1]}"#, #"[{"op":"add","path":"/a/2","value":1}]"#, nil),
            (#"{"a":[1]}"#, #"[{"op":"remove","path":"/a/1"}]"#, nil),
            (#"{"a":[1]}"#, #"[{"op":"remove","path":"/b"}]"#, nil),
            (#"{"a":{"b":1}}"#, #"[{"op":"copy","from":"/a","path":"/a/c"}]"#, #"{"a":{"b":1,"c":{"b":1}}}"#),
            (#"{"a":{"b":1}}"#, #"[{"op":"move","from":"/a","path":"/a/c"}]"#, nil),
            (#"{"a":1}"#, #"[{"op":"frob","path":"/a"}]"#, nil),
            (#"{"a":1}"#, #"[{"op":"add","path":"/a"}]"#, nil),
            (#"{"a":1}"#, #"{"op":"add","path":"/a","value":1}"#, nil),
            (#"{"a":null}"#, #"[{"op":"test","path":"/a","value":null}]"#, #"{"a":null}"#),
        ] as [(String, String, String?)])
    func `gives what RFC 6902 gives`(original: String, patch: String, result: String?) throws {
        let before = try JSONValue(text: original)
        var value = before
        let patch = try JSONValue(text: patch)
        do {
            try JSONPatch(patch).apply(to: &value)
            #expect(value.text() == result)
        } catch {
            #expect(result == nil, "\(error)")
            #expect(value == before)
        }
    }

    @Test func `changes all or nothing and says what failed`() throws {
        var value: JSONValue = ["a": 1]
        let patch = try JSONPatch([
            ["op": "add", "path": "/b", "value": 2], ["op": "test", "path": "/a", "value": 3],
        ])
        let error = #expect(throws: JSONPatchError.self) { try patch.apply(to: &value) }
        #expect(error?.code == .testFailed)
        #expect(error?.operation == 1)
        #expect(value == ["a": 1])
    }
}
