/// The types of the API that Duet serves: those of Kubernetes, and its own.
public enum Schema {
    /// Every type by its OpenAPI name.
    public static let types: [String: SchemaType] = SchemaTable.parse()

    /// The type of a resource's objects; nil for a resource without a known type.
    public static func node(for resource: Resource) -> SchemaNode? {
        type(resource.kind, group: resource.group).map { .object($0) }
    }

    /// A type by its name and API group.
    public static func type(_ name: String, group: String) -> SchemaType? {
        let package =
            switch group {
            case "meta.k8s.io": "io.k8s.apimachinery.pkg.apis.meta.v1"
            case "network.duet.dev": "dev.duet.network.v1alpha1"
            default: "io.k8s.api.\(group.isEmpty ? "core" : String(group.prefix { $0 != "." })).v1"
            }
        return types["\(package).\(name)"]
    }
}
