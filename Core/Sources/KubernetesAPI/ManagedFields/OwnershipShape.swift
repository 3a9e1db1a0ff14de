/// How the fields of a value are owned: one by one, as keyed elements, or only all together.
///
/// Follows the `listType`, `listMapKey`, `mapType` and `structType` markers of the API (KEP-555).
public indirect enum OwnershipShape: Sendable {
    /// Scalars, and lists and objects that are owned as one.
    case leaf
    /// An object whose fields are owned one by one.
    case object(OwnedType)
    /// A map whose entries are owned one by one.
    case map(OwnershipShape)
    /// A list whose elements are known by some of their fields.
    case keyedList([ListKey], OwnershipShape)
    /// A list of scalars that is owned value by value.
    case set

    /// The shape of a resource's objects; a leaf for a resource without a known type.
    public static func of(_ resource: Resource) -> OwnershipShape {
        guard let type = Schema.node(for: resource)?.type, let owned = OwnedType.all[type.openAPIName] else {
            return .leaf
        }
        return .object(owned)
    }

    /// Whether the value is a map or list that exists apart from what it holds.
    var isContainer: Bool {
        switch self {
        case .map, .keyedList, .set: true
        case .leaf, .object: false
        }
    }
}

/// A field that identifies the elements of a list.
public struct ListKey: Sendable {
    /// The field's name.
    let name: String
    /// What a missing field stands for, as JSON text.
    let defaultText: String?
}

/// An object type as ownership sees it.
public final class OwnedType: Sendable {
    /// A field of the type.
    struct Field: Sendable {
        /// The path element, such as `f:spec`.
        let element: String
        let shape: OwnershipShape
        /// Whether the field, a container, is there even when nobody gives it.
        let isAlwaysThere: Bool
    }

    /// The fields by their names in JSON.
    let fields: [String: Field]

    private init(fields: [String: Field]) { self.fields = fields }

    /// Every type that is not owned as a whole, by its OpenAPI name.
    static let all: [String: OwnedType] = {
        var built: [String: OwnedType] = [:]
        for name in Schema.types.keys {
            if let type = Schema.types[name] { _ = build(type, &built) }
        }
        return built
    }()

    private static func build(_ type: SchemaType, _ built: inout [String: OwnedType]) -> OwnershipShape {
        if atomicTypes.contains(type.openAPIName) { return .leaf }
        if let known = built[type.openAPIName] { return .object(known) }
        var fields: [String: Field] = [:]
        for field in type.fields {
            fields[field.name] = Field(
                element: "f:" + field.name, shape: shape(of: field, in: type, &built), isAlwaysThere: field.isRequired)
        }
        let owned = OwnedType(fields: fields)
        built[type.openAPIName] = owned
        return .object(owned)
    }

    private static func shape(
        of field: SchemaField, in type: SchemaType, _ built: inout [String: OwnedType]
    ) -> OwnershipShape {
        switch field.node {
        case .list(let element):
            if field.isSet { return .set }
            guard !field.listKeys.isEmpty, case .object(let elementType) = element else { return .leaf }
            let keys = field.listKeys.sorted().map { name in
                ListKey(name: name, defaultText: keyDefaults["\(elementType.openAPIName).\(name)"])
            }
            return .keyedList(keys, build(elementType, &built))
        case .map where atomicMaps.contains("\(type.openAPIName).\(field.name)"): return .leaf
        case .map(let element):
            if case .object(let elementType) = element { return .map(build(elementType, &built)) }
            return .map(.leaf)
        case .object(let type): return build(type, &built)
        default: return .leaf
        }
    }
}

// What the API's markers say beyond the schema's own options.
extension OwnedType {
    /// Object types that are owned as a whole.
    private static let atomicTypes: Set<String> = [
        "io.k8s.api.autoscaling.v1.CrossVersionObjectReference", "io.k8s.api.core.v1.ConfigMapKeySelector",
        "io.k8s.api.core.v1.EndpointAddress", "io.k8s.api.core.v1.EndpointPort", "io.k8s.api.core.v1.FileKeySelector",
        "io.k8s.api.core.v1.LocalObjectReference", "io.k8s.api.core.v1.NodeSelector",
        "io.k8s.api.core.v1.NodeSelectorTerm", "io.k8s.api.core.v1.ObjectFieldSelector",
        "io.k8s.api.core.v1.ObjectReference", "io.k8s.api.core.v1.ResourceFieldSelector",
        "io.k8s.api.core.v1.SecretKeySelector", "io.k8s.api.core.v1.SecretReference",
        "io.k8s.api.core.v1.TypedLocalObjectReference", "io.k8s.api.discovery.v1.EndpointPort",
        "io.k8s.api.networking.v1.ServiceBackendPort", "io.k8s.api.rbac.v1.RoleRef", "io.k8s.api.rbac.v1.Subject",
        "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector",
    ]

    /// Maps that are owned as a whole.
    private static let atomicMaps: Set<String> = [
        "io.k8s.api.core.v1.PodSpec.nodeSelector", "io.k8s.api.core.v1.ServiceSpec.selector",
    ]

    /// What a missing key of an element stands for.
    private static let keyDefaults = [
        "io.k8s.api.core.v1.ContainerPort.protocol": "\"TCP\"", "io.k8s.api.core.v1.ServicePort.protocol": "\"TCP\"",
    ]
}
