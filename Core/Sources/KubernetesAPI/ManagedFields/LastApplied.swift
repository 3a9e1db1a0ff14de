public import JSON

/// The annotation in which `kubectl apply` keeps what it applied on the client's side.
public enum LastApplied {
    /// The name under which kubectl applies on the server's side.
    static let manager = "kubectl"
    private static let annotation = "kubectl.kubernetes.io/last-applied-configuration"
    private static let sizeLimit = 256 * 1024

    /// The fields that the client applied and that still have its values; these kubectl may take without force.
    static func fields(of live: JSONValue, _ apiVersion: String, _ shape: OwnershipShape) -> FieldSet? {
        guard let text = live.at("metadata", "annotations", annotation)?.string,
            let applied = try? JSONValue(text: text), applied["apiVersion"]?.string == apiVersion
        else { return nil }
        let changes = FieldChanges(from: applied, to: live, shape)
        return FieldSet(of: applied, shape).subtracting(changes.changed).subtractingAll(below: changes.removed)
    }

    /// Brings the annotation up to date when kubectl applies to an object that has one.
    ///
    /// A later `kubectl apply` on the client's side then knows what was applied.
    public static func update(_ object: inout JSONValue, with configuration: JSONValue, manager: String) {
        guard manager == self.manager, object.at("metadata", "annotations", annotation) != nil else { return }
        var applied = configuration
        if applied.at("metadata", "annotations", annotation) != nil {
            applied.set(nil, at: "metadata", "annotations", annotation)
        }
        let text = applied.text(sortedKeys: true) + "\n"
        object.set(
            .string(text.utf8.count > sizeLimit ? "" : text), at: "metadata", "annotations", annotation)
    }
}
