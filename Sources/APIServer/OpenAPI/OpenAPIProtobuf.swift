import JSON
import KubernetesAPI

/// A Swagger 2.0 document as the message `openapi.v2.Document`, the only form that kubectl up to 1.26 validates with.
///
/// Field numbers are those of gnostic's OpenAPIv2.proto.
enum OpenAPIProtobuf {
    /// Encodes a document.
    static func encode(_ document: JSONValue) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.string(1, document["swagger"]?.string)
        writer.message(2) { info in
            info.string(1, document.at("info", "title")?.string)
            info.string(2, document.at("info", "version")?.string)
        }
        writer.message(8) { paths in
            named(&paths, 2, document["paths"], path)
        }
        writer.message(9) { definitions in
            named(&definitions, 1, document["definitions"], schema)
        }
        return writer.bytes
    }

    /// A map as a repeated message of name (1) and value (2).
    static func named(
        _ writer: inout ProtobufWriter, _ field: Int, _ map: JSONValue?,
        _ body: (inout ProtobufWriter, JSONValue) -> Void
    ) {
        for (name, value) in map?.object ?? [:] {
            writer.message(field) { entry in
                entry.string(1, name)
                entry.message(2) { body(&$0, value) }
            }
        }
    }

    private static func path(_ writer: inout ProtobufWriter, _ path: JSONValue) {
        for (method, field) in [("get", 2), ("put", 3), ("post", 4), ("delete", 5), ("patch", 8)] {
            guard let operation = path[method] else { continue }
            writer.message(field) { writer in
                writer.string(5, operation["operationId"]?.string)
                for parameter in operation["parameters"]?.array ?? [] {
                    // ParametersItem.parameter, Parameter.non_body_parameter, query_parameter_sub_schema
                    writer.message(8) { $0.message(1) { $0.message(2) { $0.message(3) { query(&$0, parameter) } } } }
                }
                writer.message(9) { responses in
                    named(&responses, 1, operation["responses"]) { value, response in
                        value.message(1) { $0.string(1, response["description"]?.string) }
                    }
                }
                extensions(&writer, 13, operation)
            }
        }
    }

    private static func query(_ writer: inout ProtobufWriter, _ parameter: JSONValue) {
        writer.string(2, "query")
        writer.string(4, parameter["name"]?.string)
        writer.string(6, parameter["type"]?.string)
    }

    private static func schema(_ writer: inout ProtobufWriter, _ value: JSONValue) {
        writer.string(1, value["$ref"]?.string)
        writer.string(2, value["format"]?.string)
        writer.string(4, value["description"]?.string)
        for name in value["required"]?.array ?? [] {
            writer.string(19, name.string)
        }
        if let additional = value["additionalProperties"] {
            writer.message(21) { $0.message(1) { schema(&$0, additional) } }
        }
        if let type = value["type"]?.string {
            writer.message(22) { $0.string(1, type) }
        }
        if let items = value["items"] {
            writer.message(23) { $0.message(1) { schema(&$0, items) } }
        }
        if let properties = value["properties"] {
            writer.message(25) { named(&$0, 1, properties, schema) }
        }
        extensions(&writer, 31, value)
    }

    /// Members whose names begin with `x-`, their values as YAML, of which JSON is a part.
    static func extensions(_ writer: inout ProtobufWriter, _ field: Int, _ value: JSONValue) {
        for (name, value) in value.object ?? [:] where name.hasPrefix("x-") {
            writer.message(field) { entry in
                entry.string(1, name)
                entry.message(2) { $0.string(2, value.text()) }
            }
        }
    }
}
