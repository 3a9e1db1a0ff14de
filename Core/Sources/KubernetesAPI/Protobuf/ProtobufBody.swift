public import JSON

/// Objects in the binary form of Kubernetes (`application/vnd.kubernetes.protobuf`).
///
/// A body is four bytes of magic and a `runtime.Unknown`, which names the object's type and holds its message.
public enum ProtobufBody {
    private static let magic = Array("k8s\0".utf8)

    /// Reads a body.
    ///
    /// - Returns: The object with its `apiVersion` and `kind`.
    public static func decode(_ bytes: [UInt8]) throws(ProtobufError) -> JSONValue {
        guard bytes.starts(with: magic) else {
            throw ProtobufError(
                description: "provided data does not appear to be a protobuf message, expected prefix k8s\\0")
        }
        var version = ""
        var kind = ""
        var raw: ArraySlice<UInt8> = []
        var reader = ProtobufReader(bytes.dropFirst(magic.count))
        while let (number, payload) = try reader.next() {
            switch (number, payload) {
            case (1, .bytes(let bytes)):
                let meta = try ProtobufDecoding.object(bytes, typeMeta)
                version = meta["apiVersion"]?.string ?? ""
                kind = meta["kind"]?.string ?? ""
            case (2, .bytes(let bytes)): raw = bytes
            case (3, .bytes(let encoding)) where !encoding.isEmpty:
                throw ProtobufError(description: "encoded messages are not supported")
            default: continue
            }
        }
        guard let type = Schema.message(kind, apiVersion: version) else {
            throw ProtobufError(description: "no kind \"\(kind)\" is registered for version \"\(version)\"")
        }
        var object: JSONObject = ["apiVersion": .string(version), "kind": .string(kind)]
        for (key, value) in try ProtobufDecoding.object(raw, type) { object[key] = value }
        return .object(object)
    }

    /// The body of an object or list that tells its `apiVersion` and `kind`; nil when these have no binary form.
    public static func encode(_ value: JSONValue) -> [UInt8]? {
        guard let object = value.object, let version = object["apiVersion"]?.string,
            let kind = object["kind"]?.string, let type = Schema.message(kind, apiVersion: version)
        else { return nil }
        var envelope = ProtobufWriter()
        envelope.message(1) {
            $0.text(1, version)
            $0.text(2, kind)
        }
        envelope.bytes(2, ProtobufEncoding.message(object, type).bytes)
        envelope.text(3, "")
        envelope.text(4, "")
        return magic + envelope.bytes
    }

    /// One event of a watch: four bytes of length, the highest first, and a `WatchEvent`.
    ///
    /// - Parameter type: `ADDED`, `MODIFIED`, `DELETED`, `BOOKMARK` or `ERROR`.
    public static func watchFrame(_ type: String, _ value: JSONValue) -> [UInt8]? {
        guard let body = encode(value) else { return nil }
        var event = ProtobufWriter()
        event.text(1, type)
        event.message(2) { $0.bytes(1, body) }
        let count = UInt32(event.bytes.count)
        return (0..<4).map { UInt8(truncatingIfNeeded: count >> (24 - 8 * UInt32($0))) } + event.bytes
    }

    private static let typeMeta = SchemaType(
        name: "TypeMeta", package: "",
        fields: [
            SchemaField("apiVersion", .string, protobufPath: [1]), SchemaField("kind", .string, protobufPath: [2]),
        ])
}

extension Schema {
    /// The type of a message by what its envelope says; nil when it has no binary form.
    static func message(_ kind: String, apiVersion: String) -> SchemaType? {
        let group = apiVersion.contains("/") ? String(apiVersion.prefix { $0 != "/" }) : ""
        // Some kinds belong to every group.
        if let type = type(kind, group: group) ?? type(kind, group: "meta.k8s.io") {
            return type.protobuf.members.isEmpty ? nil : type
        }
        guard kind.hasSuffix("List"), let metadata = type("ListMeta", group: "meta.k8s.io"),
            let element = message(String(kind.dropLast(4)), apiVersion: apiVersion)
        else { return nil }
        return SchemaType(
            name: kind, package: element.package,
            fields: [
                SchemaField("items", .list(.object(element)), protobufPath: [2]),
                SchemaField("metadata", .object(metadata), protobufPath: [1]),
            ])
    }

    /// Whether the objects of a resource have a binary form.
    public static func hasProtobuf(_ resource: Resource) -> Bool {
        message(resource.kind, apiVersion: resource.apiVersion) != nil
    }
}
