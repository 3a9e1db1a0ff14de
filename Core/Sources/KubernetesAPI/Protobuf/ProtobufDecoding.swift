import JSON

/// Turns messages of known types into JSON.
///
/// Unknown fields are skipped, as protobuf demands; zeros are kept, and dropped where JSON of the type drops them.
enum ProtobufDecoding {
    /// Messages within messages that are followed; the API's own types stay far below.
    private static let maximumDepth = 64
    /// The years 1 to 9999, which RFC 3339 can write.
    private static let writableSeconds: ClosedRange<Int64> = -62_135_596_800...253_402_300_799

    /// The object that a message of the type describes.
    static func object(_ bytes: ArraySlice<UInt8>, _ type: SchemaType) throws(ProtobufError) -> JSONObject {
        var object = JSONObject()
        try read(bytes, type.protobuf, into: &object, depth: 0)
        return object
    }

    private static func read(
        _ bytes: ArraySlice<UInt8>, _ layout: ProtobufLayout, into object: inout JSONObject, depth: Int
    ) throws(ProtobufError) {
        guard depth < maximumDepth else { throw ProtobufError(description: "proto: too deeply nested") }
        var reader = ProtobufReader(bytes)
        // Elements are collected here, so that a long list is not copied for each.
        var lists: [String: [JSONValue]] = [:]
        while let (number, payload) = try reader.next() {
            switch layout[number] {
            case nil: continue
            case .inline(let inner):
                guard case .bytes(let bytes) = payload else { throw mismatch(number) }
                try read(bytes, inner, into: &object, depth: depth + 1)
            case .field(let field):
                switch field.node {
                case .list(let element):
                    // The first element settles the place among the members.
                    if object[field.name] == nil { object[field.name] = [] }
                    try append(payload, element, number, to: &lists[field.name, default: []], depth: depth)
                case .map(let element):
                    var members = take(field.name, from: &object)
                    try insert(payload, element, number, into: &members, depth: depth)
                    object[field.name] = .object(members)
                case .object(let type):
                    guard case .bytes(let bytes) = payload else { throw mismatch(number) }
                    // A message that comes in parts is the sum of its parts.
                    var members = take(field.name, from: &object)
                    try read(bytes, type.protobuf, into: &members, depth: depth + 1)
                    object[field.name] = .object(members)
                default:
                    let value = try scalar(payload, field.node, number)
                    object[field.name] = value.isNull ? nil : value
                }
            }
        }
        for (name, elements) in lists {
            var present = object[name]?.array ?? []
            object[name] = .null
            present += elements
            object[name] = .array(present)
        }
    }

    /// The members of an object, which leaves its place empty so that it can grow without being copied.
    private static func take(_ name: String, from object: inout JSONObject) -> JSONObject {
        let members = object[name]?.object ?? JSONObject()
        object[name] = .null
        return members
    }

    private static func append(
        _ payload: ProtobufReader.Payload, _ element: SchemaNode, _ number: Int, to elements: inout [JSONValue],
        depth: Int
    ) throws(ProtobufError) {
        switch (element, payload) {
        case (.integer, .bytes(let bytes)), (.boolean, .bytes(let bytes)):
            // Numbers may also come packed into one field.
            var reader = ProtobufReader(bytes)
            while !reader.isAtEnd {
                elements.append(try scalar(.integer(reader.variableInteger()), element, number))
            }
        default: elements.append(try value(payload, element, number, depth: depth))
        }
    }

    /// A map's entry is a message of key (1) and value (2).
    private static func insert(
        _ payload: ProtobufReader.Payload, _ element: SchemaNode, _ number: Int, into members: inout JSONObject,
        depth: Int
    ) throws(ProtobufError) {
        guard case .bytes(let entry) = payload else { throw mismatch(number) }
        var reader = ProtobufReader(entry)
        var key = ""
        var content = ProtobufReader.Payload.bytes([])
        if case .integer = element { content = .integer(0) }
        if case .boolean = element { content = .integer(0) }
        while let (number, payload) = try reader.next() {
            switch number {
            case 1: key = try text(payload, number)
            case 2: content = payload
            default: continue
            }
        }
        members[key] = try value(content, element, 2, depth: depth)
    }

    /// An element of a list or map.
    private static func value(
        _ payload: ProtobufReader.Payload, _ node: SchemaNode, _ number: Int, depth: Int
    ) throws(ProtobufError) -> JSONValue {
        switch node {
        case .object(let type):
            guard case .bytes(let bytes) = payload else { throw mismatch(number) }
            var members = JSONObject()
            try read(bytes, type.protobuf, into: &members, depth: depth + 1)
            return .object(members)
        case .list(let element):
            // A list that is an element itself is a message with the elements in field 1.
            guard case .bytes(let bytes) = payload else { throw mismatch(number) }
            var reader = ProtobufReader(bytes)
            var elements: [JSONValue] = []
            while let (number, payload) = try reader.next() {
                guard number == 1 else { continue }
                try append(payload, element, number, to: &elements, depth: depth + 1)
            }
            return .array(elements)
        default: return try scalar(payload, node, number)
        }
    }

    private static func scalar(
        _ payload: ProtobufReader.Payload, _ node: SchemaNode, _ number: Int
    ) throws(ProtobufError) -> JSONValue {
        switch (node, payload) {
        case (.string, _): return .string(try text(payload, number))
        case (.boolean, .integer(let value)): return .bool(value != 0)
        case (.integer(let bits), .integer(let value)):
            return .integer(bits == 32 ? Int64(Int32(truncatingIfNeeded: value)) : Int64(bitPattern: value))
        case (.bytes, .bytes(let bytes)): return .string(Base64.encode(bytes))
        case (.time, .bytes(let bytes)): return try time(bytes).map { .string($0.description) } ?? .null
        case (.microTime, .bytes(let bytes)): return try time(bytes).map { .string($0.microText) } ?? .null
        case (.quantity, .bytes(let bytes)):
            let amount = try wrapped(bytes).map { payload throws(ProtobufError) in try text(payload, 1) }
            return .string(amount.flatMap { $0.isEmpty ? nil : $0 } ?? "0")
        case (.intOrString, .bytes(let bytes)): return try intOrString(bytes)
        case (.any, .bytes(let bytes)):
            guard case .bytes(let json) = try wrapped(bytes), !json.isEmpty else { return .null }
            do throws(JSONError) {
                return try JSONValue(parsing: json)
            } catch {
                throw ProtobufError(description: "a raw value is not JSON: \(error)")
            }
        default: throw mismatch(number)
        }
    }

    private static func text(_ payload: ProtobufReader.Payload, _ number: Int) throws(ProtobufError) -> String {
        guard case .bytes(let bytes) = payload else { throw mismatch(number) }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ProtobufError(description: "proto: field \(number) is not valid UTF-8")
        }
        return text
    }

    /// Field 1 of a message that has no other.
    private static func wrapped(_ bytes: ArraySlice<UInt8>) throws(ProtobufError) -> ProtobufReader.Payload? {
        var reader = ProtobufReader(bytes)
        var result: ProtobufReader.Payload?
        while let (number, payload) = try reader.next() {
            if number == 1 { result = payload }
        }
        return result
    }

    /// A message of seconds (1) and nanoseconds (2); nil for an empty one, which stands for no time.
    private static func time(_ bytes: ArraySlice<UInt8>) throws(ProtobufError) -> Timestamp? {
        guard !bytes.isEmpty else { return nil }
        var reader = ProtobufReader(bytes)
        var (seconds, nanoseconds): (Int64, Int64) = (0, 0)
        while let (number, payload) = try reader.next() {
            guard case .integer(let value) = payload else { continue }
            switch number {
            case 1: seconds = Int64(bitPattern: value)
            case 2: nanoseconds = Int64(bitPattern: value)
            default: continue
            }
        }
        guard writableSeconds.contains(seconds), 0..<1_000_000_000 ~= nanoseconds else {
            throw ProtobufError(description: "proto: a time is outside the years 1 to 9999")
        }
        return Timestamp(seconds: seconds, nanoseconds: Int32(nanoseconds))
    }

    /// A message of type (1: 0 for integers, 1 for text), integer (2) and text (3).
    private static func intOrString(_ bytes: ArraySlice<UInt8>) throws(ProtobufError) -> JSONValue {
        var reader = ProtobufReader(bytes)
        var isText = false
        var number: Int64 = 0
        var string = ""
        while let (field, payload) = try reader.next() {
            switch (field, payload) {
            case (1, .integer(let value)): isText = value == 1
            case (2, .integer(let value)): number = Int64(Int32(truncatingIfNeeded: value))
            case (3, _): string = try text(payload, field)
            default: continue
            }
        }
        return isText ? .string(string) : .integer(number)
    }

    private static func mismatch(_ number: Int) -> ProtobufError {
        ProtobufError(description: "proto: wrong wireType for field \(number)")
    }
}
