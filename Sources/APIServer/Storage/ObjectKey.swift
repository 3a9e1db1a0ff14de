/// Where an object stands within its resource.
package struct ObjectKey: Hashable, Comparable, Sendable {
    /// Its namespace, empty for cluster-scoped resources.
    package let namespace: String
    /// Its name.
    package let name: String

    /// Creates a key.
    package init(namespace: String = "", name: String) {
        self.namespace = namespace
        self.name = name
    }

    /// Orders by namespace, then name, as lists are.
    package static func < (left: Self, right: Self) -> Bool {
        left.namespace == right.namespace ? left.name < right.name : left.namespace < right.namespace
    }
}
