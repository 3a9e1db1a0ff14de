import JSON

/// A field that was singular before dual-stack, and its plural, whose first element it repeats.
enum FamilyPair {
    /// Makes both agree; the singular field wins, since its writer may know no other.
    ///
    /// - Parameters:
    ///   - wrap: Makes an element of the list from the single value.
    ///   - unwrap: The reverse.
    static func align(
        _ object: inout JSONValue, _ singular: String, _ plural: String, wrap: (JSONValue) -> JSONValue,
        unwrap: (JSONValue) -> JSONValue?
    ) {
        let first = object.list(plural).first.flatMap(unwrap)
        if let single = object[singular], !object.text(singular).isEmpty {
            if first != single {
                object[plural] = [wrap(single)]
            }
        } else {
            object[singular] = first
        }
    }
}
