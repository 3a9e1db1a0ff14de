/// Makes JSON values of `Encodable` values; members that are nil are left out.
public struct JSONValueEncoder: Sendable {
    /// Makes an encoder.
    public init() {}

    /// Encodes one value.
    public func encode(_ value: some Encodable) throws -> JSONValue {
        let encoder = ValueEncoder(codingPath: [])
        try value.encode(to: encoder)
        return encoder.node.value
    }
}

/// A part of the result while it is being built; shared by the containers that add to it.
final class EncodingNode {
    enum Content {
        case value(JSONValue)
        case elements([EncodingNode])
        case members([(key: String, node: EncodingNode)])
    }

    /// What has been encoded; a type that encodes nothing becomes an empty object.
    var content: Content

    init(_ content: Content = .members([])) { self.content = content }

    var value: JSONValue {
        switch content {
        case .value(let value): return value
        case .elements(let nodes): return .array(nodes.map(\.value))
        case .members(let nodes):
            var object = JSONObject()
            for (key, node) in nodes { object[key] = node.value }
            return .object(object)
        }
    }

    func addElement(_ node: EncodingNode) {
        guard case .elements(var nodes) = content else { return }
        content = .elements([])
        nodes.append(node)
        content = .elements(nodes)
    }

    func addMember(_ key: String, _ node: EncodingNode) {
        guard case .members(var nodes) = content else { return }
        content = .members([])
        nodes.append((key, node))
        content = .members(nodes)
    }
}

/// The encoder of one value into one node.
struct ValueEncoder: Encoder {
    let node: EncodingNode
    let codingPath: [any CodingKey]

    var userInfo: [CodingUserInfoKey: Any] { [:] }

    init(node: EncodingNode = EncodingNode(), codingPath: [any CodingKey]) {
        self.node = node
        self.codingPath = codingPath
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        if case .members = node.content {} else { node.content = .members([]) }
        return KeyedEncodingContainer(KeyedNodeContainer<Key>(node: node, codingPath: codingPath))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if case .elements = node.content {} else { node.content = .elements([]) }
        return UnkeyedNodeContainer(node: node, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { self }

    /// A new node that holds `value` encoded.
    static func node(_ value: some Encodable, _ codingPath: @autoclosure () -> [any CodingKey]) throws -> EncodingNode {
        switch value {
        case let value as String: return EncodingNode(.value(.string(value)))
        case let value as JSONValue: return EncodingNode(.value(value))
        default:
            let encoder = ValueEncoder(codingPath: codingPath())
            try value.encode(to: encoder)
            return encoder.node
        }
    }

    private func set(_ integer: some BinaryInteger) {
        node.content = .value(Int64(exactly: integer).map { .integer($0) } ?? .double(Double(integer)))
    }
}

extension ValueEncoder: SingleValueEncodingContainer {
    func encodeNil() throws { node.content = .value(.null) }
    func encode(_ value: Bool) throws { node.content = .value(.bool(value)) }
    func encode(_ value: String) throws { node.content = .value(.string(value)) }
    func encode(_ value: Float) throws { try encode(Double(value)) }
    func encode(_ value: Int) throws { set(value) }
    func encode(_ value: Int8) throws { set(value) }
    func encode(_ value: Int16) throws { set(value) }
    func encode(_ value: Int32) throws { set(value) }
    func encode(_ value: Int64) throws { set(value) }
    func encode(_ value: UInt) throws { set(value) }
    func encode(_ value: UInt8) throws { set(value) }
    func encode(_ value: UInt16) throws { set(value) }
    func encode(_ value: UInt32) throws { set(value) }
    func encode(_ value: UInt64) throws { set(value) }

    func encode(_ value: Double) throws {
        guard value.isFinite else {
            throw EncodingError.invalidValue(
                value, .init(codingPath: codingPath, debugDescription: "JSON has no number \(value)"))
        }
        node.content = .value(.double(value))
    }

    func encode(_ value: some Encodable) throws { try value.encode(to: self) }
}
