package import JSON
package import KubernetesAPI

/// A second group in which a resource's objects are served, with other names for some of their members.
package struct AlternateForm: Sendable {
    /// Where the objects are served in this form.
    package let resource: Resource
    /// Members by the name under which they are stored, and by that of this form.
    let names: [(stored: String, served: String)]
    /// Selectable fields by the names of the stored form, where this form has another one.
    let fields: [String: String]
    /// What is wrong with a new object, in its stored form, besides what the resource's own rules say.
    let creationProblems: @Sendable (JSONValue) -> [FieldError]

    /// A stored object in this form.
    package func served(_ stored: JSONValue) -> JSONValue {
        renamed(stored) { name in names.first { $0.stored == name }?.served }
    }

    /// An object of this form, or a part of one, as it is stored.
    package func stored(_ served: JSONValue) -> JSONValue {
        renamed(served) { name in names.first { $0.served == name }?.stored }
    }

    private func renamed(_ value: JSONValue, _ other: (String) -> String?) -> JSONValue {
        guard let object = value.object else { return value }
        var result = JSONObject()
        for (name, member) in object { result[other(name) ?? name] = member }
        return .object(result)
    }
}

extension ResourceDefinition {
    /// The resource as it is served in another form.
    package func served(as form: AlternateForm) -> ResourceDefinition {
        var definition = self
        definition.resource = form.resource
        definition.form = form
        definition.alternates = []
        for index in fields.indices {
            definition.fields[index].name = form.fields[fields[index].name] ?? fields[index].name
        }
        return definition
    }

    /// A stored object as this definition serves it.
    package func served(_ stored: JSONValue) -> JSONValue {
        guard let form else { return stored }
        var object = form.served(stored)
        object["apiVersion"] = .string(resource.apiVersion)
        object["kind"] = .string(resource.kind)
        return object
    }

    /// An object that a client sent, as it is stored.
    package func stored(_ served: JSONValue) -> JSONValue { form?.stored(served) ?? served }
}

extension ResourceRegistry {
    /// The definitions in every form in which they are served, with the indices of what is stored.
    package static func served(_ definitions: [ResourceDefinition]) -> [(index: Int, definition: ResourceDefinition)] {
        let stored = definitions.enumerated().map { (index: $0, definition: $1) }
        return stored
            + stored.flatMap { index, definition in
                definition.alternates.map { (index: index, definition: definition.served(as: $0)) }
            }
    }
}
