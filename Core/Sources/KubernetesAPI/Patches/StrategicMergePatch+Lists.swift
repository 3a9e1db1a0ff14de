import JSON

extension StrategicMergePatch {
    /// Merges a list: elements match by `key`, or by value where there is no key.
    static func mergeList(
        _ patch: [JSONValue], into original: [JSONValue], key: String?, element: SchemaNode?
    ) throws(StatusError) -> [JSONValue] {
        guard let key else {
            var merged: [JSONValue] = []
            for value in original + patch where !merged.contains(value) { merged.append(value) }
            return ordered(merged, as: patch, live: original, key: nil)
        }
        var base = original
        var changes = patch
        if patch.contains(where: { $0[directive] != nil }) {
            changes = patch.filter { $0[directive] == nil }
            if patch.contains(where: { $0[directive] == "replace" }) {
                base = changes
                changes = []
            } else {
                for doomed in patch where doomed[directive] != nil {
                    guard doomed[directive] == "delete" else {
                        throw .badRequest("invalid $patch value in a list: it must be delete or replace")
                    }
                    let identity = try identity(of: doomed, key)
                    base.removeAll { $0[key] == identity }
                }
            }
        }
        let live = base
        for change in changes {
            let identity = try identity(of: change, key)
            if let position = base.firstIndex(where: { $0[key] == identity }) {
                guard case .object(let members) = base[position], case .object(let fields) = change else { continue }
                base[position] = .object(try merge(fields, into: members, element?.type))
            } else {
                base.append(withoutDirectives(change))
            }
        }
        return ordered(base, as: changes, live: live, key: key)
    }

    /// Applies every `$setElementOrder/<field>` of a patch, together with the field's own part of the patch.
    static func setElementOrders(
        _ patch: inout JSONObject, _ original: inout JSONObject, _ type: SchemaType?
    ) throws(StatusError) {
        for directive in patch.keys where directive.hasPrefix(orderPrefix) {
            let name = String(directive.dropFirst(orderPrefix.count))
            guard let order = patch.removeValue(forKey: directive)?.array else {
                throw .badRequest("invalid value of \(directive): it must be a list")
            }
            let field = type?[name]
            let key = field?.mergeKey
            if let doomed = patch.removeValue(forKey: deletionPrefix + name)?.array,
                case .array(let elements)? = original[name]
            {
                original[name] = .array(elements.filter { !doomed.contains($0) })
            }
            let change = patch[name]
            if let change, change.array == nil {
                if change.isNull { continue }
                throw .badRequest("invalid value of \(name): \(directive) orders a list")
            }
            patch.removeValue(forKey: name)
            try checkOrder(of: change?.array ?? [], order, key, directive: directive)
            let live = original[name]?.array
            guard live != nil || change != nil else { continue }
            var merged = live ?? []
            if let change {
                let value = try merge(change, into: original[name], field, field?.node)
                merged = value.array ?? []
            }
            original[name] = .array(ordered(merged, as: order, live: live ?? [], key: key))
        }
    }

    /// A patch's elements must stand in the order that they are given; its deletions do not count.
    private static func checkOrder(
        of changes: [JSONValue], _ order: [JSONValue], _ key: String?, directive: String
    ) throws(StatusError) {
        var last = -1
        for element in changes where element[StrategicMergePatch.directive] == nil {
            guard let position = position(of: element, in: order, key), position > last else {
                throw .badRequest(
                    "The order in patch list: \(JSONValue.array(changes).text()) doesn't match \(directive) list: "
                        + JSONValue.array(order).text())
            }
            last = position
        }
    }

    /// Puts the elements that `order` lists into its order, and the others where they stood among them.
    ///
    /// Both groups keep their inner order; an unlisted element goes before the first listed one that followed it in
    /// the live list.
    private static func ordered(
        _ merged: [JSONValue], as order: [JSONValue], live: [JSONValue], key: String?
    ) -> [JSONValue] {
        func sorted(_ elements: [JSONValue], by list: [JSONValue]) -> [JSONValue] {
            elements.enumerated().map { (rank: position(of: $1, in: list, key) ?? Int.max, offset: $0, element: $1) }
                .sorted { ($0.rank, $0.offset) < ($1.rank, $1.offset) }.map(\.element)
        }
        let listed = sorted(merged.filter { position(of: $0, in: order, key) != nil }, by: order)
        let others = sorted(merged.filter { position(of: $0, in: order, key) == nil }, by: live)
        var result: [JSONValue] = []
        result.reserveCapacity(merged.count)
        var waiting = others[...]
        for element in listed {
            let rank = position(of: element, in: live, key)
            while let next = waiting.first, let rank, let nextRank = position(of: next, in: live, key),
                nextRank < rank
            {
                result.append(next)
                waiting.removeFirst()
            }
            result.append(element)
        }
        return result + waiting
    }

    private static func position(of element: JSONValue, in list: [JSONValue], _ key: String?) -> Int? {
        guard let key else { return list.firstIndex(of: element) }
        guard let identity = element[key] else { return nil }
        return list.firstIndex { $0[key] == identity }
    }

    private static func identity(of element: JSONValue, _ key: String) throws(StatusError) -> JSONValue {
        guard let identity = element[key] else {
            throw .badRequest("map: \(element.text()) does not contain declared merge key: \(key)")
        }
        return identity
    }
}
