/// What may stand at one place of an API object.
public indirect enum SchemaNode: Sendable {
    /// Text.
    case string
    /// `true` or `false`.
    case boolean
    /// A signed integer of so many bits, 32 or 64.
    case integer(bits: Int)
    /// Base64 text (RFC 4648) of bytes.
    case bytes
    /// A time of second precision (RFC 3339).
    case time
    /// A time of microsecond precision (RFC 3339).
    case microTime
    /// An amount such as `100m` or `64Mi`; also written as a number.
    case quantity
    /// An integer or text, such as a port or a percentage.
    case intOrString
    /// Any JSON.
    case any
    /// A list.
    case list(SchemaNode)
    /// A map from any key.
    case map(SchemaNode)
    /// An object with fields.
    case object(SchemaType)

    /// The fields, if this is an object.
    public var type: SchemaType? {
        guard case .object(let type) = self else { return nil }
        return type
    }

    /// What a list or map holds.
    public var element: SchemaNode? {
        switch self {
        case .list(let element), .map(let element): element
        default: nil
        }
    }

    /// The name of the type in the programming language of Kubernetes, for the texts of decoding errors.
    var typeName: String {
        switch self {
        case .string: "string"
        case .boolean: "bool"
        case .integer(let bits): "int\(bits)"
        case .bytes: "[]uint8"
        case .time: "v1.Time"
        case .microTime: "v1.MicroTime"
        case .quantity: "resource.Quantity"
        case .intOrString: "intstr.IntOrString"
        case .any: "runtime.RawExtension"
        case .list(let element): "[]\(element.typeName)"
        case .map(let element): "map[string]\(element.typeName)"
        case .object(let type): type.qualifiedName
        }
    }
}

/// An object type of the API.
public final class SchemaType: Sendable {
    /// The name within its group, such as `ServiceSpec`.
    public let name: String
    /// The group's package in OpenAPI, such as `io.k8s.api.core.v1`.
    public let package: String
    /// The fields in alphabetical order.
    public let fields: [SchemaField]
    /// Where the fields are in the binary form; empty for a type that has none.
    let protobuf: ProtobufLayout
    private let positions: [String: Int]

    init(name: String, package: String, fields: [SchemaField]) {
        self.name = name
        self.package = package
        self.fields = fields
        protobuf = ProtobufLayout(fields)
        positions = Dictionary(uniqueKeysWithValues: zip(fields.lazy.map(\.name), fields.indices))
    }

    /// The name in OpenAPI, such as `io.k8s.api.core.v1.ServiceSpec`.
    public var openAPIName: String { "\(package).\(name)" }

    /// The version and the name, such as `v1.ServiceSpec`.
    var qualifiedName: String { "\(package.split(separator: ".").last ?? "v1").\(name)" }

    /// The field of that name.
    public subscript(name: String) -> SchemaField? { positions[name].map { fields[$0] } }
}

/// A field of an object type.
public struct SchemaField: Sendable {
    /// The name in JSON.
    public let name: String
    /// What stands there.
    public let node: SchemaNode
    /// Whether the published schema demands it.
    public let isRequired: Bool
    /// Whether an empty text, zero or false differs from a missing value.
    public let distinguishesEmpty: Bool
    /// Whether a strategic merge patch merges the list instead of replacing it (`x-kubernetes-patch-strategy: merge`).
    public let isMerged: Bool
    /// Whether a strategic merge patch may name the keys to keep (`x-kubernetes-patch-strategy: retainKeys`).
    public let retainsKeys: Bool
    /// The key by which elements are matched in a strategic merge patch; nil for lists of scalars.
    public let mergeKey: String?
    /// The keys that identify an element for server-side apply (`x-kubernetes-list-type: map`); empty for other lists.
    public let listKeys: [String]
    /// Whether the list is a set for server-side apply (`x-kubernetes-list-type: set`).
    public let isSet: Bool
    /// The number in the binary form, after the numbers of the inner messages that JSON has inline; empty without one.
    let protobufPath: [Int]

    init(
        _ name: String, _ node: SchemaNode, isRequired: Bool = false, distinguishesEmpty: Bool = false,
        isMerged: Bool = false, retainsKeys: Bool = false, mergeKey: String? = nil, listKeys: [String] = [],
        isSet: Bool = false, protobufPath: [Int] = []
    ) {
        self.name = name
        self.node = node
        self.isRequired = isRequired
        self.distinguishesEmpty = distinguishesEmpty
        self.isMerged = isMerged
        self.retainsKeys = retainsKeys
        self.mergeKey = mergeKey
        self.listKeys = listKeys
        self.isSet = isSet
        self.protobufPath = protobufPath
    }
}
