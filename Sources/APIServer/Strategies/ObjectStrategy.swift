package import JSON
package import KubernetesAPI

/// A strategy without allocation: what a resource adds to the common course of a write.
package protocol ObjectStrategy: ResourceStrategy {
    /// The resource.
    var resource: Resource { get }

    /// Whether status is written through a subresource of its own.
    var hasStatus: Bool { get }

    /// What is wrong with a name; a DNS subdomain unless said otherwise.
    func problems(withName name: String) -> [String]

    /// Adds what a new object takes from others.
    func prepare(_ object: inout JSONValue, _ context: AdmissionContext) throws(StatusError)

    /// Gives a new object what only new objects get, such as its first status.
    func begin(_ object: inout JSONValue)

    /// Adds what a client may leave out.
    func setDefaults(_ object: inout JSONValue)

    /// Takes from the old object what this way of writing does not change.
    func keep(_ object: inout JSONValue, of old: JSONValue, _ subresource: String?)

    /// What is wrong with the object apart from metadata and status.
    func validate(_ object: JSONValue, replacing old: JSONValue?, _ subresource: String?) -> [FieldError]

    /// What is wrong with the status.
    func validateStatus(_ object: JSONValue, replacing old: JSONValue?) -> [FieldError]

    /// Refuses an object in order that its writer may not write.
    func authorize(_ object: JSONValue, replacing old: JSONValue?, _ context: AdmissionContext) throws(StatusError)

    /// Takes what a new object that is in order holds.
    func reserve(_ object: JSONValue, _ context: AdmissionContext) -> Reservation
}

extension ObjectStrategy {
    package var hasStatus: Bool { false }
    package func problems(withName name: String) -> [String] { NameRules.dnsSubdomain(name) }
    package func prepare(_ object: inout JSONValue, _ context: AdmissionContext) throws(StatusError) {}
    package func begin(_ object: inout JSONValue) {}
    package func setDefaults(_ object: inout JSONValue) {}
    package func keep(_ object: inout JSONValue, of old: JSONValue, _ subresource: String?) {}
    package func validate(_ object: JSONValue, replacing old: JSONValue?, _ subresource: String?) -> [FieldError] {
        []
    }
    package func validateStatus(_ object: JSONValue, replacing old: JSONValue?) -> [FieldError] { [] }
    package func authorize(
        _ object: JSONValue, replacing old: JSONValue?, _ context: AdmissionContext
    ) throws(StatusError) {}
    package func reserve(_ object: JSONValue, _ context: AdmissionContext) -> Reservation { .none }

    package func admitCreate(_ object: inout JSONValue, _ context: AdmissionContext) throws(StatusError) -> Reservation
    {
        try prepare(&object, context)
        begin(&object)
        setDefaults(&object)
        try refuse(
            object,
            MetadataRules.validate(object, name: problems(withName:)) + validate(object, replacing: nil, nil)
                + validateStatus(object, replacing: nil))
        try authorize(object, replacing: nil, context)
        return reserve(object, context)
    }

    package func admitUpdate(
        _ object: inout JSONValue, replacing old: JSONValue, _ context: AdmissionContext
    ) throws(StatusError) -> Reservation {
        let isStatus = context.subresource == "status"
        if isStatus {
            object = StatusWrite.merged(object, into: old)
        } else if hasStatus, context.subresource != "binding" {
            object["status"] = old["status"]
        }
        keep(&object, of: old, context.subresource)
        setDefaults(&object)
        // The name is as it was, so that an object of an older rule stays usable.
        var errors = MetadataRules.validate(object) { _ in [] }
        if isStatus || !hasStatus {
            errors += validateStatus(object, replacing: old)
        }
        if !isStatus {
            errors += validate(object, replacing: old, context.subresource)
        }
        try refuse(object, errors)
        try authorize(object, replacing: old, context)
        return .none
    }

    private func refuse(_ object: JSONValue, _ errors: [FieldError]) throws(StatusError) {
        guard !errors.isEmpty else { return }
        throw .invalid(
            kind: resource.kind, group: resource.group, name: object.at("metadata", "name")?.string ?? "",
            causes: errors)
    }
}

extension JSONValue {
    /// Sets a member unless it is there.
    mutating func setDefault(_ key: String, _ value: JSONValue) {
        if self[key] == nil { self[key] = value }
    }

    /// Changes each element of a list member, if there is one.
    mutating func updateEach(_ key: String, _ change: (inout JSONValue) -> Void) {
        guard case .array(var elements)? = self[key] else { return }
        self[key] = .null
        for index in elements.indices { change(&elements[index]) }
        self[key] = .array(elements)
    }

    /// Changes a member, if there is one.
    mutating func update(_ key: String, _ change: (inout JSONValue) -> Void) {
        guard var value = self[key] else { return }
        self[key] = .null
        change(&value)
        self[key] = value
    }

    /// A member's text, empty when missing.
    func text(_ key: String) -> String { self[key]?.string ?? "" }

    /// A member's elements, none when missing.
    func list(_ key: String) -> [JSONValue] { self[key]?.array ?? [] }
}
