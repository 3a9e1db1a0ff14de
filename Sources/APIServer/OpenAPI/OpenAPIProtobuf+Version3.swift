import JSON
import KubernetesAPI

extension OpenAPIProtobuf {
    /// Encodes a document of version 3 as the message `openapi.v3.Document`, with the field numbers of gnostic's
    /// OpenAPIv3.proto.
    static func encodeVersion3(_ document: JSONValue) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.string(1, document["openapi"]?.string)
        writer.message(2) { info in
            info.string(1, document.at("info", "title")?.string)
            info.string(6, document.at("info", "version")?.string)
        }
        writer.message(4) { named(&$0, 1, document["paths"], pathItem) }
        writer.message(5) { components in
            components.message(1) { named(&$0, 1, document.at("components", "schemas"), schemaOrReference) }
        }
        return writer.bytes
    }

    private static func pathItem(_ writer: inout ProtobufWriter, _ path: JSONValue) {
        for (method, field) in [("get", 4), ("put", 5), ("post", 6), ("delete", 7), ("patch", 10)] {
            guard let operation = path[method] else { continue }
            writer.message(field) { writer in
                writer.string(5, operation["operationId"]?.string)
                for parameter in operation["parameters"]?.array ?? [] {
                    // ParameterOrReference.parameter
                    writer.message(6) { $0.message(1) { Self.parameter(&$0, parameter) } }
                }
                writer.message(8) { responses in
                    named(&responses, 2, operation["responses"]) { value, response in
                        value.message(1) { $0.string(1, response["description"]?.string) }
                    }
                }
                extensions(&writer, 13, operation)
            }
        }
    }

    private static func parameter(_ writer: inout ProtobufWriter, _ parameter: JSONValue) {
        writer.string(1, parameter["name"]?.string)
        writer.string(2, parameter["in"]?.string)
        if let type = parameter["schema"] {
            writer.message(10) { schemaOrReference(&$0, type) }
        }
    }

    private static func schemaOrReference(_ writer: inout ProtobufWriter, _ value: JSONValue) {
        if let reference = value["$ref"]?.string {
            writer.message(2) { $0.string(1, reference) }
        } else {
            writer.message(1) { schema(&$0, value) }
        }
    }

    private static func schema(_ writer: inout ProtobufWriter, _ value: JSONValue) {
        for name in value["required"]?.array ?? [] { writer.string(23, name.string) }
        writer.string(25, value["type"]?.string)
        for (list, field) in [("allOf", 26), ("oneOf", 27)] {
            for element in value[list]?.array ?? [] { writer.message(field) { schemaOrReference(&$0, element) } }
        }
        if let items = value["items"] {
            writer.message(30) { $0.message(1) { schemaOrReference(&$0, items) } }
        }
        if let properties = value["properties"] {
            writer.message(31) { named(&$0, 1, properties, schemaOrReference) }
        }
        if let additional = value["additionalProperties"] {
            writer.message(32) { $0.message(1) { schemaOrReference(&$0, additional) } }
        }
        writer.string(34, value["description"]?.string)
        writer.string(35, value["format"]?.string)
        extensions(&writer, 36, value)
    }
}
