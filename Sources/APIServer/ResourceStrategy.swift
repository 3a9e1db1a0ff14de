package import JSON
package import KubernetesAPI

/// What is particular to one resource: defaults, validation, allocation.
///
/// The generic rules of metadata (names, uid, generation, finalizers, resource versions) are applied around it. All calls
/// come from the single writer, one after another, so a strategy's allocators need no order of their own.
package protocol ResourceStrategy: Sendable {
    /// Defaults, allocates and validates a new object; `metadata.name` and `metadata.namespace` are already set.
    ///
    /// - Returns: What was allocated, to be kept or undone when the outcome of the write is known.
    func admitCreate(_ object: inout JSONValue, _ context: AdmissionContext) throws(StatusError) -> Reservation

    /// Brings a changed object into its stored form, or refuses it.
    ///
    /// A write to the `status` subresource keeps everything but `status` and metadata of `old`; a write to the main
    /// resource keeps its `status`. `context.subresource` says which of them it is.
    func admitUpdate(
        _ object: inout JSONValue, replacing old: JSONValue, _ context: AdmissionContext
    ) throws(StatusError) -> Reservation

    /// Adds what objects stored by an older server lack.
    func defaultOnRead(_ object: inout JSONValue)

    /// Occupies what a stored object holds; called for each object at start, before any request.
    func recover(_ object: JSONValue)

    /// Releases what an object held; called once it is really gone.
    func didDelete(_ object: JSONValue)

    /// Whether `recover`, `didStore` and `companions` are of interest; other resources' writes are spared the effort.
    var isFollowed: Bool { get }

    /// Takes note of an object's new state; called once it is in the log.
    func didStore(_ object: JSONValue)

    /// The objects that are made, and removed, in the same write as this one.
    func companions(of object: JSONValue) -> [Companion]
}

/// An object that lives as long as another one says so.
package struct Companion: Sendable, Hashable {
    /// Its resource.
    package let resource: Resource
    /// Its namespace, empty for cluster-scoped resources.
    package let namespace: String
    /// Its name.
    package let name: String
    /// The object to make, without what the server sets; nil for one that others make and that only goes with this one.
    package let content: JSONValue?
}

extension ResourceStrategy {
    package func defaultOnRead(_ object: inout JSONValue) {}
    package func recover(_ object: JSONValue) {}
    package func didDelete(_ object: JSONValue) {}
    package var isFollowed: Bool { false }
    package func didStore(_ object: JSONValue) {}
    package func companions(of object: JSONValue) -> [Companion] { [] }
}

/// The circumstances of one write.
package struct AdmissionContext: Sendable {
    /// The subresource that is written, or nil for the main resource.
    package let subresource: String?
    /// True when nothing will be stored; finite resources are then only looked at.
    package let isDryRun: Bool
    /// Read access to the other resources, as of this write.
    package let lookup: ObjectLookup
    /// Where to put texts that the client sees as `Warning` headers.
    package let warnings: WarningSink
    /// Who asks for the write; nil for the server itself.
    package let requester: Requester?

    /// Describes a write.
    package init(
        subresource: String? = nil, isDryRun: Bool = false, lookup: ObjectLookup = .empty,
        warnings: WarningSink = WarningSink(), requester: Requester? = nil
    ) {
        self.subresource = subresource
        self.isDryRun = isDryRun
        self.lookup = lookup
        self.warnings = warnings
        self.requester = requester
    }
}

/// Read access to stored objects.
package struct ObjectLookup: Sendable {
    private let get: @Sendable (Resource, String?, String) -> JSONValue?

    /// Wraps a function of resource, namespace (nil for cluster-scoped resources) and name.
    package init(_ get: @escaping @Sendable (Resource, String?, String) -> JSONValue?) {
        self.get = get
    }

    /// A store without objects.
    package static let empty = Self { _, _, _ in nil }

    /// The object of that name, or nil.
    package func object(_ resource: Resource, namespace: String?, name: String) -> JSONValue? {
        get(resource, namespace, name)
    }
}
