extension JSONValue {
    /// Applies a merge patch (RFC 7396): members of the patch replace members, `null` removes them.
    public mutating func mergePatch(_ patch: JSONValue) {
        guard case .object(let changes) = patch else {
            self = patch
            return
        }
        var target = object ?? [:]
        self = .null
        for (key, change) in changes {
            if change.isNull {
                target.removeValue(forKey: key)
                continue
            }
            var value = target[key] ?? .null
            value.mergePatch(change)
            target[key] = value
        }
        self = .object(target)
    }
}
