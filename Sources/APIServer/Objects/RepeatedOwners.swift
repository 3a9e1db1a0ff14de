import JSON

extension JSONValue {
    /// Drops owners that are named twice in the same way, and warns of it.
    ///
    /// - Parameter isPatch: Whether the object is the outcome of a patch, of which Kubernetes warns in other words.
    mutating func dropRepeatedOwners(_ warnings: WarningSink, isPatch: Bool) {
        guard let owners = at("metadata", "ownerReferences")?.array, owners.count > 1 else { return }
        var kept: [JSONValue] = []
        var repeated: [String] = []
        for owner in owners {
            let uid = owner["uid"]?.string ?? ""
            if !kept.contains(owner) {
                kept.append(owner)
            } else if !repeated.contains(uid) {
                repeated.append(uid)
            }
        }
        guard !repeated.isEmpty else { return }
        set(.array(kept), at: "metadata", "ownerReferences")
        warnings.warn(
            ".metadata.ownerReferences contains duplicate entries\(isPatch ? " after mutating admission happens" : "")"
                + "; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; "
                + "please fix your requests; duplicate UID(s) observed: \(repeated.joined(separator: ", "))")
    }
}
