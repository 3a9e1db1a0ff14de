package import JSON
package import KubernetesAPI

/// Everything the server knows about one resource; adding a resource is adding one value.
package struct ResourceDefinition: Sendable {
    /// Where it is served.
    package internal(set) var resource: Resource
    /// Lower-case singular.
    package var singular: String
    /// Abbreviations that kubectl expands.
    package var shortNames: [String] = []
    /// Groups of resources it belongs to, such as `all`.
    package var categories: [String] = []
    /// What clients may do.
    package var verbs: [Verb] = Verb.allCases
    /// Subresources besides the object itself.
    package var subresources: [Subresource] = []
    /// Fields for field selectors, besides name and namespace.
    package var fields: [SelectableField] = []
    /// Columns that `kubectl get` shows.
    package var columns: [TableColumn]
    /// True when the answer to a deletion is the object instead of a `Status`.
    package var returnsDeletedObject = false
    /// True when PUT makes an object that is not there.
    package var isCreatedByUpdate = false
    /// True when PUT must say which version it replaces.
    package var needsVersionOnUpdate = false
    /// True when `metadata.generation` counts changes of everything but metadata and status.
    package var countsGenerations = false
    /// Fields that the server fills in and that nobody owns unless a client gives them; `*` is each element of a list.
    package var allocatedFields: [[String]] = []
    /// Other groups in which the same objects are served.
    package var alternates: [AlternateForm] = []
    /// How the objects differ from what is stored; nil for the form of the store.
    package internal(set) var form: AlternateForm?
    /// Defaults, validation and allocation.
    package var strategy: any ResourceStrategy
    /// Seconds that a deleted object stays for its node to finish; nil or 0 removes it at once.
    package var gracePeriod: @Sendable (JSONValue) -> Int? = { _ in nil }
    /// True when `spec.finalizers` keeps a deleted object too.
    package var isHeldBySpecification = false
    /// Answers a creation, for a resource that is asked and not stored.
    package var review: Review?
    /// Notes in the object's status that it is being deleted.
    package var markTerminating: @Sendable (inout JSONValue) -> Void = { _ in }

    /// Describes a resource.
    package init(
        _ resource: Resource, shortNames: [String] = [], columns: [TableColumn], strategy: any ResourceStrategy,
        _ adjust: (inout Self) -> Void = { _ in }
    ) {
        self.resource = resource
        self.singular = resource.kind.lowercased()
        self.shortNames = shortNames
        self.columns = columns
        self.strategy = strategy
        fields = [SelectableField("metadata.name"), SelectableField("metadata.namespace")]
        adjust(&self)
    }

    /// The name in the database.
    package var storageName: String { "\(resource.group)/\(resource.plural)" }

    /// A verb of the API.
    package enum Verb: String, Sendable, CaseIterable {
        /// POST to the collection.
        case create
        /// DELETE of an object.
        case delete
        /// DELETE of the collection.
        case deletecollection
        /// GET of an object.
        case get
        /// GET of the collection.
        case list
        /// PATCH.
        case patch
        /// PUT.
        case update
        /// GET of the collection with `watch=true`.
        case watch
    }

    /// A subresource of an object.
    package struct Subresource: Sendable {
        /// The last segment of its path.
        package let name: String
        /// Kind of its bodies.
        package let kind: String
        /// Group and version of its bodies, when not those of the resource.
        package var groupVersion: (group: String, version: String)?
        /// What clients may do.
        package let verbs: [Verb]

        /// Writes `status` and nothing else.
        package static func status(of kind: String) -> Self {
            Self(name: "status", kind: kind, verbs: [.get, .patch, .update])
        }

        /// Passes requests on to what the object stands for.
        package static func proxy(of kind: String) -> Self {
            Self(name: "proxy", kind: "\(kind)ProxyOptions", verbs: [.create, .delete, .get, .patch, .update])
        }
    }
}
