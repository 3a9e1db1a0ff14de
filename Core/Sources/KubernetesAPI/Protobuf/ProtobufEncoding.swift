import JSON

/// Turns JSON of known types into messages.
enum ProtobufEncoding {
    /// The message of an object; members that do not fit the type are left out.
    static func message(_ object: JSONObject, _ type: SchemaType) -> ProtobufWriter {
        var writer = ProtobufWriter()
        write(object, type.protobuf, to: &writer)
        return writer
    }

    private static func write(_ object: JSONObject, _ layout: ProtobufLayout, to writer: inout ProtobufWriter) {
        for (number, member) in layout.members {
            switch member {
            case .inline(let inner):
                var message = ProtobufWriter()
                write(object, inner, to: &message)
                if !message.bytes.isEmpty { writer.bytes(number, message.bytes) }
            case .field(let field):
                if let value = object[field.name] { write(value, field.node, number, to: &writer) }
            }
        }
    }

    private static func write(
        _ value: JSONValue, _ node: SchemaNode, _ number: Int, to writer: inout ProtobufWriter
    ) {
        switch (node, value) {
        case (.list(let element), .array(let elements)):
            for value in elements { writeElement(value, element, number, to: &writer) }
        case (.map(let element), .object(let members)):
            for (key, value) in members {
                writer.message(number) { entry in
                    entry.text(1, key)
                    writeElement(value, element, 2, to: &entry)
                }
            }
        case (.object(let type), .object(let members)):
            writer.message(number) { write(members, type.protobuf, to: &$0) }
        case (.string, .string(let text)): writer.text(number, text)
        case (.boolean, .bool(let flag)): writer.integer(number, flag ? 1 : 0)
        case (.integer, .integer(let value)): writer.integer(number, value)
        case (.bytes, .string(let text)):
            if let bytes = Base64.decode(text) { writer.bytes(number, bytes) }
        case (.time, .string(let text)), (.microTime, .string(let text)):
            guard let time = Timestamp(text) else { return }
            writer.message(number) {
                $0.integer(1, time.seconds)
                $0.integer(2, Int64(time.nanoseconds))
            }
        case (.quantity, .string(let text)): writer.message(number) { $0.text(1, text) }
        case (.quantity, .integer(let amount)): writer.message(number) { $0.text(1, String(amount)) }
        case (.intOrString, .integer(let value)):
            writer.message(number) {
                $0.integer(1, 0)
                $0.integer(2, value)
            }
        case (.intOrString, .string(let text)):
            writer.message(number) {
                $0.integer(1, 1)
                $0.text(3, text)
            }
        case (.any, _) where !value.isNull: writer.message(number) { $0.bytes(1, value.serialized()) }
        default: break
        }
    }

    /// An element of a list or map; a list within is a message with its elements in field 1.
    private static func writeElement(
        _ value: JSONValue, _ node: SchemaNode, _ number: Int, to writer: inout ProtobufWriter
    ) {
        guard case .list = node else { return write(value, node, number, to: &writer) }
        writer.message(number) { write(value, node, 1, to: &$0) }
    }
}
