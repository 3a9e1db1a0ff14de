/// What a request says about how to write.
package struct WriteOptions: Sendable {
    /// True when nothing shall be stored.
    package var isDryRun = false
    /// True when the client sends a patch and not the whole object.
    package var isPatch = false
    /// Collects what the client is warned about.
    package var warnings = WarningSink()
    /// Who asks for it; nil for the server itself.
    package var requester: Requester?
    /// How the owners of the written fields are noted.
    package var tracking = OwnerTracking.none

    /// The defaults.
    package init() {}
}

/// What a request says about how to delete.
package struct DeleteOptions: Sendable {
    /// What happens to the objects that the deleted one owns.
    package enum Propagation: String, Sendable {
        /// They stay, without their owner.
        case orphan = "Orphan"
        /// They are deleted afterwards.
        case background = "Background"
        /// They are deleted first.
        case foreground = "Foreground"
    }

    /// Seconds for the object to finish; nil means its default, and a negative number one second.
    package var gracePeriodSeconds: Int?
    /// What happens to dependents; nil keeps what the object's finalizers say.
    package var propagation: Propagation?
    /// What happens to dependents in the words of old clients; nil when they are not used.
    package var orphansDependents: Bool?
    /// The object must have this uid.
    package var uid: String?
    /// The object must have this resource version.
    package var resourceVersion: String?
    /// The common options.
    package var write = WriteOptions()

    /// The defaults.
    package init() {}
}
