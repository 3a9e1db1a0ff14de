public import JSON

/// Merge patches that know the lists of the Kubernetes API.
///
/// Follows the notes on strategic merge patches of the Kubernetes API conventions: maps merge, `null` removes, lists that
/// the schema marks merge by their key or as sets, other lists are replaced. Directives: `$patch`, `$retainKeys`,
/// `$deleteFromPrimitiveList/<field>`, `$setElementOrder/<field>`.
public enum StrategicMergePatch {
    /// Applies a patch to an object of the given type.
    ///
    /// - Throws: `StatusError` with code 400 for a patch that cannot be understood, 422 for one that the object's lists
    ///   cannot take; the object is then unspecified.
    public static func apply(
        _ patch: JSONValue, to object: inout JSONValue, schema: SchemaNode
    ) throws(StatusError) {
        guard case .object(let changes) = patch, case .object(let members) = object else {
            throw .badRequest("a strategic merge patch must be a JSON object")
        }
        object = .null
        object = .object(try merge(changes, into: members, schema.type))
    }

    static let directive = "$patch"
    static let retainKeys = "$retainKeys"
    static let deletionPrefix = "$deleteFromPrimitiveList/"
    static let orderPrefix = "$setElementOrder/"

    /// - Parameter type: What is known about the members; nil for maps and unknown fields, whose lists are replaced.
    static func merge(
        _ patch: JSONObject, into original: JSONObject, _ type: SchemaType?, values: SchemaNode? = nil
    ) throws(StatusError) -> JSONObject {
        var result = original
        if let text = patch[directive] {
            switch text.string {
            case "replace": return withoutDirectives(patch)
            case "delete": return JSONObject()
            case "merge": break
            default: throw .badRequest("invalid $patch value \(text.text()): it must be replace, delete or merge")
            }
        }
        try retain(patch, &result)
        var done = try setElementOrders(patch, &result, type)
        done.formUnion([directive, retainKeys])
        // Removed together, because each removal alone would move all that follow.
        result.removeValues(
            forKeys: Set(patch.lazy.filter { $0.value.isNull && !done.contains($0.key) }.map(\.key)))

        for (key, change) in patch where !done.contains(key) {
            if key.hasPrefix(deletionPrefix) {
                let field = String(key.dropFirst(deletionPrefix.count))
                guard let doomed = change.array else { throw .badRequest("invalid value of \(key): it must be a list") }
                if case .array(let elements)? = result[field] {
                    result[field] = .array(without(doomed, elements))
                }
                continue
            }
            if change.isNull { continue }
            // A directive speaks of what is there already.
            if result[key] == nil, change[directive] != nil { continue }
            let field = type?[key]
            result[key] = try merge(change, into: result[key], field, field?.node ?? values)
        }
        return result
    }

    /// The value of a field after its part of the patch.
    static func merge(
        _ change: JSONValue, into original: JSONValue?, _ field: SchemaField?, _ node: SchemaNode?
    ) throws(StatusError) -> JSONValue {
        switch (original, change) {
        case (.object(let members)?, .object(let changes)):
            return .object(try merge(changes, into: members, node?.type, values: node?.element))
        case (.array(let elements)?, .array(let changes)) where field?.isMerged == true:
            return .array(
                try mergeList(changes, into: elements, key: field?.mergeKey, element: node?.element))
        default: return withoutDirectives(change)
        }
    }

    /// Applies `$retainKeys`: of the object only these keys stay.
    private static func retain(_ patch: JSONObject, _ original: inout JSONObject) throws(StatusError) {
        guard let value = patch[retainKeys] else { return }
        guard let elements = value.array, elements.allSatisfy({ $0.string != nil }) else {
            throw .badRequest("invalid value of $retainKeys: it must be a list of strings")
        }
        let kept = Set(elements.compactMap(\.string))
        for (key, change) in patch where !change.isNull && !key.hasPrefix("$") && !kept.contains(key) {
            throw .badRequest("$retainKeys lists some keys, but the patch also sets \"\(key)\"")
        }
        original.removeValues(forKeys: Set(original.keys).subtracting(kept))
    }

    /// The elements that are not among others.
    static func without(_ doomed: [JSONValue], _ elements: [JSONValue]) -> [JSONValue] {
        let doomed = Set(doomed)
        return elements.filter { !doomed.contains($0) }
    }

    /// A value that is new to the object: nulls, directives and objects with a directive mean nothing there.
    static func withoutDirectives(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(let members): return .object(withoutDirectives(members))
        case .array(let elements):
            return .array(
                elements.filter { $0[directive] == nil }.map(withoutDirectives))
        default: return value
        }
    }

    private static func withoutDirectives(_ members: JSONObject) -> JSONObject {
        var result = JSONObject()
        for (key, value) in members where !value.isNull {
            if key == directive || key == retainKeys || key.hasPrefix(deletionPrefix) || key.hasPrefix(orderPrefix)
                || value[directive] != nil
            {
                continue
            }
            result[key] = withoutDirectives(value)
        }
        return result
    }
}
