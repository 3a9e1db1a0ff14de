import JSON
import TestSupport
import Testing

@Suite struct `JSON text` {
    @Test(
        arguments: [
            ("null", nil), (" true\n", true), ("false", false), ("0", 0), ("-0", 0), ("-1", -1), ("1.5", 1.5),
            ("1e2", 100.0),
            ("1E-2", 0.01), ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
            ("9223372036854775808", .double(9223372036854775808)),
            ("123456789012345678901234567890", .double(1.2345678901234568e29)),
            (#""""#, ""), (#""a\"\\\/\b\f\n\r\t""#, "a\"\\/\u{8}\u{c}\n\r\t"),
            (#""\u00e9\u20AC\ud83d\ude00é€😀""#, "é€😀é€😀"),
            ("[]", []), ("[1,[2],{}]", [1, [2], [:]]), (#"{"a":{"b":[null]},"c":"d"}"#, ["a": ["b": [nil]], "c": "d"]),
            ("\t[ 1 ,\r\n2 ] ", [1, 2]), (#"{"a":1,"a":2}"#, ["a": 2]), (#""\u0000""#, "\u{0}"),
        ] as [(String, JSONValue)])
    func `is read`(text: String, value: JSONValue) throws {
        #expect(try JSONValue(text: text) == value)
        #expect(try JSONValue(text: value.text()) == value)
        #expect(try JSONValue(text: value.text(pretty: true, sortedKeys: true)) == value)
    }

    @Test(arguments: [
        ("", 0), (" ", 1), ("nul", 0), ("truE", 0), ("[1,]", 3), ("[1", 2), ("[1 2]", 3), ("{", 1), ("{\"a\"}", 4),
        ("{\"a\":}", 5), ("{\"a\":1,}", 7), ("{a:1}", 1), ("{'a':1}", 1), ("01", 1), ("-", 0), ("+1", 0), (".5", 0),
        ("1.", 2), ("1.e1", 2), ("1e", 2), ("1e+", 3), ("0x1", 1), ("NaN", 0), ("Infinity", 0), ("1e400", 0),
        ("\"a", 2),
        ("\"\n\"", 1), ("\"\\x\"", 2), ("\"\\u12g4\"", 5), ("\"\\ud800\"", 7), ("\"\\udc00\"", 7),
        ("\"\\ud800\\u0041\"", 13),
        ("1 1", 2), ("[]]", 2), ("\u{FEFF}1", 0), ("// x", 0), ("[1]x", 3), ("\u{a0}1", 0),
    ])
    func `that is malformed is refused with its position`(text: String, offset: Int) {
        let error = #expect(throws: JSONError.self) { try JSONValue(text: text) }
        #expect(error?.offset == offset, "\(String(describing: error))")
    }

    @Test func `finds the end of a string of any length, whatever bytes come before and after`() throws {
        let selection = JSONSelection(paths: [["b"]])
        for length in 0..<26 {
            for place in 0..<max(length, 1) {
                for (escaped, plain) in [
                    ("\\\"", "\""), ("\\\\", "\\"), ("\u{80}", "\u{80}"), ("~", "~"), ("!", "!"), ("]", "]"),
                ] {
                    let before = String(repeating: " ", count: min(place, length))
                    let after = String(repeating: "\u{7f}", count: length - before.count)
                    let text = "{\"a\":\"\(before)\(escaped)\(after)\",\"b\":1}"
                    #expect(try JSONValue(text: text).at("a")?.string == before + plain + after)
                    #expect(try JSONValue(parsing: Array(text.utf8), only: selection) == ["b": 1])
                    let control = text.replacing(escaped, with: "\u{1f}")
                    let error = #expect(throws: JSONError.self) { try JSONValue(text: control) }
                    #expect(error?.offset == 6 + before.count)
                }
            }
        }
    }

    @Test(
        arguments: [
            [0x22, 0xFF, 0x22], [0x22, 0xC3, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22],
            [0x22, 0x5C, 0x6E, 0xE2, 0x82, 0x22], [0x22, 0xF5, 0x80, 0x80, 0x80, 0x22],
        ] as [[UInt8]])
    func `that is not UTF-8 is refused`(bytes: [UInt8]) {
        #expect(throws: JSONError.self) { try JSONValue(parsing: bytes) }
    }

    @Test func `nests no deeper than the limit`() throws {
        let limit = JSONReader.maximumDepth
        let deepest = String(repeating: "[", count: limit) + String(repeating: "]", count: limit)
        #expect(try JSONValue(text: deepest).text() == deepest)
        #expect(throws: JSONError.self) { try JSONValue(text: "[" + deepest + "]") }
        #expect(throws: JSONError.self) { try JSONValue(text: String(repeating: "{\"a\":", count: 100_000)) }
    }

    @Test func `reports repeated keys with their paths`() throws {
        var reader = JSONReader()
        let text = #"{"a":1,"b":{"c":1,"c":2},"d":[0,{"e":{"f":1,"f":1}},[{"g":1,"g":2}]],"a":3}"#
        let value = try reader.read(Array(text.utf8))
        #expect(reader.duplicateKeys == ["b.c", "d[1].e.f", "d[2][0].g", "a"])
        #expect(value["a"] == 3)
        _ = try reader.read(Array("{}".utf8))
        #expect(reader.duplicateKeys.isEmpty)
    }

    @Test func `keeps the order of members and sorts them on request`() throws {
        let value = try JSONValue(text: #"{"b":1,"a":[1.0,-2.5e-7,"x/y\u001f"],"é":{}}"#)
        #expect(value.text() == #"{"b":1,"a":[1.0,-2.5e-07,"x/y\u001f"],"é":{}}"#)
        #expect(value.text(sortedKeys: true).hasPrefix(#"{"a":"#))
        #expect(value["a"]?.text(pretty: true) == "[\n  1.0,\n  -2.5e-07,\n  \"x/y\\u001f\"\n]")
        #expect(JSONValue(parsingAny: value.serialized()) == value)
    }

    @Test(arguments: UInt64(1)...8)
    func `gives every value back`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<300 {
            let value = JSONValue.random(depth: 4, &generator)
            #expect(try JSONValue(parsing: value.serialized()) == value, "seed \(seed)")
            #expect(try JSONValue(text: value.text(pretty: true)).hashValue == value.hashValue, "seed \(seed)")
        }
    }

    @Test(arguments: UInt64(1)...8)
    func `that is damaged gives an error or a value, never a trap`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            var bytes = JSONValue.random(depth: 3, &generator).serialized()
            for _ in 0..<Int.random(in: 1...3, using: &generator) where !bytes.isEmpty {
                let position = Int.random(in: 0..<bytes.count, using: &generator)
                if Bool.random(using: &generator) {
                    bytes[position] = UInt8.random(in: 0...255, using: &generator)
                } else {
                    bytes.removeSubrange(position...)
                }
            }
            if let value = try? JSONValue(parsing: bytes) {
                #expect((try? JSONValue(parsing: value.serialized())) == value, "seed \(seed)")
            }
        }
    }
}

extension JSONValue {
    /// Reads a value through the generic initialiser; nil if that fails.
    init?(parsingAny bytes: [UInt8]) {
        guard let value = try? JSONValue(parsing: bytes.lazy.map(\.self)) else { return nil }
        self = value
    }

    static func random(depth: Int, _ generator: inout SeededGenerator) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &generator) {
        case 0: .null
        case 1: .bool(Bool.random(using: &generator))
        case 2: .integer(Int64.random(in: .min ... .max, using: &generator))
        case 3:
            .double(Double(sign: .minus, exponent: Int.random(in: -300...300, using: &generator), significand: 1.37))
        case 4, 5: .string(randomText(&generator))
        case 6: .array((0..<Int.random(in: 0...5, using: &generator)).map { _ in random(depth: depth - 1, &generator) })
        default:
            .object(
                (0..<Int.random(in: 0...24, using: &generator)).reduce(into: JSONObject()) { object, _ in
                    object[randomText(&generator)] = random(depth: depth - 2, &generator)
                })
        }
    }

    private static func randomText(_ generator: inout SeededGenerator) -> String {
        let scalars: [Unicode.Scalar] = ["a", "b", "\"", "\\", "\n", "\u{1}", "é", "€", "😀", "\u{7f}", "\u{2028}", "/"]
        var text = ""
        for _ in 0..<Int.random(in: 0...6, using: &generator) {
            text.unicodeScalars.append(scalars.randomElement(using: &generator) ?? "x")
        }
        return text
    }
}
