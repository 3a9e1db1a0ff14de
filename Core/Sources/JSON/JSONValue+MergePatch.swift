extension JSONValue {
    /// Applies a merge patch (RFC 7396): members of the patch replace members, `null` removes them.
    public mutating func mergePatch(_ patch: JSONValue) {
        guard case .object(let changes) = patch else {
            self = patch
            return
        }
        var target = object ?? [:]
        self = .null
        // Removed together, because each removal alone would move all that follow.
        target.removeValues(forKeys: Set(changes.lazy.filter(\.value.isNull).map(\.key)))
        for (key, change) in changes where !change.isNull {
            var value = target[key] ?? .null
            value.mergePatch(change)
            target[key] = value
        }
        self = .object(target)
    }
}
