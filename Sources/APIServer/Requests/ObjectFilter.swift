package import KubernetesAPI

/// Which objects of a resource a list or watch is about.
package struct ObjectFilter: Sendable {
    private let namespace: String?
    private let labels: LabelQuery?
    private let fields: [(index: Int, value: String, isEqual: Bool)]

    /// Reads the selectors of a request.
    ///
    /// - Throws: 400 for malformed selectors and for fields that the resource cannot be selected by.
    package init(
        _ definition: ResourceDefinition, namespace: String?, name: String?, labelSelector: String?,
        fieldSelector: String?
    ) throws(StatusError) {
        self.namespace = definition.resource.isNamespaced ? namespace : nil
        let requirements: [FieldSelector.Requirement]
        do throws(SelectorError) {
            labels = try labelSelector.flatMap { $0.isEmpty ? nil : $0 }.map { text throws(SelectorError) in
                try LabelQuery(text)
            }
            requirements = try FieldSelector(fieldSelector ?? "").requirements
        } catch {
            throw .badRequest(error.description)
        }
        var fields: [(index: Int, value: String, isEqual: Bool)] = []
        for requirement in requirements {
            guard let index = definition.fields.firstIndex(where: { $0.name == requirement.path }) else {
                throw .badRequest(Self.unsupported(requirement.path, definition))
            }
            fields.append((index, requirement.value, requirement.isEqual))
        }
        if let name {
            fields.append((0, name, true))
        }
        self.fields = fields
    }

    /// Kinds with fields of their own refuse others in other words than the rest do.
    private static func unsupported(_ path: String, _ definition: ResourceDefinition) -> String {
        definition.fields.count > 2
            ? "field label not supported: \(path)"
            : "\"\(path)\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
    }

    /// True when every object of the namespace matches.
    package var isUnrestricted: Bool { labels == nil && fields.isEmpty }

    /// True when the object is one of them.
    package func matches(_ object: StoredObject) -> Bool {
        if let namespace, object.key.namespace != namespace { return false }
        guard fields.allSatisfy({ (object.fields[$0.index] == $0.value) == $0.isEqual }) else { return false }
        return labels?.matches(object.labels) ?? true
    }
}
