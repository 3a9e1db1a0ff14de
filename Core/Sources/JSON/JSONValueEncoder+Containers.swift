/// Encodes the members of an object.
struct KeyedNodeContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let node: EncodingNode
    let codingPath: [any CodingKey]

    mutating func encodeNil(forKey key: Key) throws {
        node.addMember(key.stringValue, EncodingNode(.value(.null)))
    }

    mutating func encode(_ value: some Encodable, forKey key: Key) throws {
        node.addMember(key.stringValue, try ValueEncoder.node(value, codingPath + [key]))
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        nested(key).container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        nested(key).unkeyedContainer()
    }

    mutating func superEncoder() -> any Encoder { ValueEncoder(node: node, codingPath: codingPath) }
    mutating func superEncoder(forKey key: Key) -> any Encoder { nested(key) }

    private func nested(_ key: Key) -> ValueEncoder {
        let encoder = ValueEncoder(codingPath: codingPath + [key])
        node.addMember(key.stringValue, encoder.node)
        return encoder
    }
}

/// Encodes the elements of an array.
struct UnkeyedNodeContainer: UnkeyedEncodingContainer {
    let node: EncodingNode
    let codingPath: [any CodingKey]

    var count: Int {
        guard case .elements(let nodes) = node.content else { return 0 }
        return nodes.count
    }

    mutating func encodeNil() throws { node.addElement(EncodingNode(.value(.null))) }

    mutating func encode(_ value: some Encodable) throws {
        node.addElement(try ValueEncoder.node(value, codingPath + [PathKey(index: count)]))
    }

    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        nested().container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { nested().unkeyedContainer() }

    mutating func superEncoder() -> any Encoder { nested() }

    private func nested() -> ValueEncoder {
        let encoder = ValueEncoder(codingPath: codingPath + [PathKey(index: count)])
        node.addElement(encoder.node)
        return encoder
    }
}
