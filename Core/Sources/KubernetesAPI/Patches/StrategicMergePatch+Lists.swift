import JSON

extension StrategicMergePatch {
    /// Merges a list: elements match by `key`, or by value where there is no key.
    static func mergeList(
        _ patch: [JSONValue], into original: [JSONValue], key: String?, element: SchemaNode?
    ) throws(StatusError) -> [JSONValue] {
        guard let key else {
            var seen: Set<JSONValue> = []
            let merged = (original + patch).filter { seen.insert($0).inserted }
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
                var identities: Set<JSONValue> = []
                for doomed in patch where doomed[directive] != nil {
                    guard doomed[directive] == "delete" else {
                        throw .badRequest("invalid $patch value in a list: it must be delete or replace")
                    }
                    identities.insert(try identity(of: doomed, key))
                }
                base.removeAll { $0[key].map(identities.contains) ?? false }
            }
        }
        let live = base
        var places = positions(in: base, key)
        for change in changes {
            let identity = try identity(of: change, key)
            if let position = places[identity] {
                guard case .object(let members) = base[position], case .object(let fields) = change else { continue }
                base[position] = .object(try merge(fields, into: members, element?.type))
            } else {
                places[identity] = base.count
                base.append(withoutDirectives(change))
            }
        }
        return ordered(base, as: changes, live: live, key: key)
    }

    /// Applies every `$setElementOrder/<field>` of a patch, together with the field's own part of the patch.
    ///
    /// - Returns: The members of the patch that are done with.
    static func setElementOrders(
        _ patch: JSONObject, _ original: inout JSONObject, _ type: SchemaType?
    ) throws(StatusError) -> Set<String> {
        var done: Set<String> = []
        for (directive, value) in patch where directive.hasPrefix(orderPrefix) {
            let name = String(directive.dropFirst(orderPrefix.count))
            guard let order = value.array else {
                throw .badRequest("invalid value of \(directive): it must be a list")
            }
            done.insert(directive)
            let field = type?[name]
            let key = field?.mergeKey
            done.insert(deletionPrefix + name)
            if let doomed = patch[deletionPrefix + name]?.array, case .array(let elements)? = original[name] {
                original[name] = .array(without(doomed, elements))
            }
            let change = patch[name]
            if let change, change.array == nil {
                if change.isNull { continue }
                throw .badRequest("invalid value of \(name): \(directive) orders a list")
            }
            done.insert(name)
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
        return done
    }

    /// A patch's elements must stand in the order that they are given; its deletions do not count.
    private static func checkOrder(
        of changes: [JSONValue], _ order: [JSONValue], _ key: String?, directive: String
    ) throws(StatusError) {
        let places = positions(in: order, key)
        var last = -1
        for element in changes where element[StrategicMergePatch.directive] == nil {
            guard let position = position(of: element, in: places, key), position > last else {
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
        let ranks = positions(in: order, key)
        let liveRanks = positions(in: live, key)
        func sorted(_ elements: [JSONValue], by places: [JSONValue: Int]) -> [JSONValue] {
            elements.enumerated().map { (rank: position(of: $1, in: places, key) ?? Int.max, offset: $0, element: $1) }
                .sorted { ($0.rank, $0.offset) < ($1.rank, $1.offset) }.map(\.element)
        }
        let listed = sorted(merged.filter { position(of: $0, in: ranks, key) != nil }, by: ranks)
        let others = sorted(merged.filter { position(of: $0, in: ranks, key) == nil }, by: liveRanks)
        var result: [JSONValue] = []
        result.reserveCapacity(merged.count)
        var waiting = others[...]
        for element in listed {
            let rank = position(of: element, in: liveRanks, key)
            while let next = waiting.first, let rank, let nextRank = position(of: next, in: liveRanks, key),
                nextRank < rank
            {
                result.append(next)
                waiting.removeFirst()
            }
            result.append(element)
        }
        return result + waiting
    }

    /// Where elements stand in a list, by their identity; of several with the same one the first counts.
    private static func positions(in list: [JSONValue], _ key: String?) -> [JSONValue: Int] {
        var result: [JSONValue: Int] = [:]
        result.reserveCapacity(list.count)
        for (index, element) in list.enumerated() {
            guard let identity = key.map({ element[$0] }) ?? element else { continue }
            if result[identity] == nil { result[identity] = index }
        }
        return result
    }

    private static func position(of element: JSONValue, in places: [JSONValue: Int], _ key: String?) -> Int? {
        (key.map { element[$0] } ?? element).flatMap { places[$0] }
    }

    private static func identity(of element: JSONValue, _ key: String) throws(StatusError) -> JSONValue {
        guard let identity = element[key] else {
            throw .badRequest("map: \(element.text()) does not contain declared merge key: \(key)")
        }
        return identity
    }
}
