/// Where in an object a value stands, as Kubernetes writes it: `spec.ports[0].nodePort`, `metadata.labels[app]`.
public struct FieldPath: Sendable, Hashable, CustomStringConvertible, ExpressibleByStringLiteral {
    /// The text of the path; empty for the object itself.
    public let description: String

    /// A path from its text.
    public init(_ description: String) { self.description = description }

    /// A path from its text.
    public init(stringLiteral value: String) { description = value }

    /// The member `name` of the value at this path.
    public func child(_ name: String) -> FieldPath {
        FieldPath(description.isEmpty ? name : "\(description).\(name)")
    }

    /// The element `index` of the list at this path.
    public subscript(index: Int) -> FieldPath { FieldPath("\(description)[\(index)]") }

    /// The entry `key` of the map at this path.
    public subscript(key key: String) -> FieldPath { FieldPath("\(description)[\(key)]") }
}
