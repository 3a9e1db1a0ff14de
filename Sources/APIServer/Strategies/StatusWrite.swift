package import JSON

/// Writes to the `status` subresource.
package enum StatusWrite {
    /// The old object with the new one's status and metadata; owners stay as they were.
    package static func merged(_ new: JSONValue, into old: JSONValue) -> JSONValue {
        var object = old
        object["status"] = new["status"]
        object["metadata"] = new["metadata"]
        object.set(old.at("metadata", "ownerReferences"), at: "metadata", "ownerReferences")
        return object
    }
}
