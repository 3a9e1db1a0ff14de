import HTTPTypes
import HummingbirdCore
import JSON
import KubernetesAPI
import Logging

/// Answers the requests for resources.
struct APIHandler: Sendable {
    /// The state.
    let store: Store
    /// The resources as they are served, by group, version and plural.
    let served: [ServedPlace: ServedResource]
    /// Calls nodes.
    let nodes: NodeClient
    /// What users may do.
    let access: AccessControl
    /// Who users are.
    let authenticator: Authenticator
    /// Makes tokens for service accounts.
    let tokens: ServiceAccountTokens
    /// What was asked so far.
    let counters = RequestCounters()
    /// What was last sent to watchers.
    let frames = WatchFrames()
    let logger: Logger

    init(store: Store, nodes: NodeClient, tokens: ServiceAccountTokens, authenticator: Authenticator, logger: Logger) {
        self.store = store
        self.nodes = nodes
        self.tokens = tokens
        access = AccessControl(store: store)
        self.authenticator = authenticator
        self.logger = logger
        served = Dictionary(
            ResourceRegistry.served(store.definitions).map { index, definition in
                let resource = definition.resource
                return (
                    ServedPlace(group: resource.group, version: resource.version, plural: resource.plural),
                    ServedResource(index, definition, stored: store.definitions[index])
                )
            },
            uniquingKeysWith: { first, _ in first })
    }

    /// What a path names a resource by.
    struct ServedPlace: Hashable {
        let group: String
        let version: String
        let plural: String
    }

    /// A resource as it is served; requests refer to it, since a copy of what it holds would count dozens of references.
    final class ServedResource: Sendable {
        let index: Int
        let definition: ResourceDefinition
        /// The definition of what is stored, which differs from that of what is served for alternate forms.
        let stored: ResourceDefinition
        /// Whether the objects have a binary form.
        let hasProtobuf: Bool

        init(_ index: Int, _ definition: ResourceDefinition, stored: ResourceDefinition) {
            self.index = index
            self.definition = definition
            self.stored = stored
            hasProtobuf = Schema.hasProtobuf(definition.resource)
        }
    }

    /// One request for a known resource.
    struct Call: Sendable {
        let served: ServedResource
        let path: RequestTarget.ResourcePath
        let query: Query
        let format: OutputFormat
        let request: Request
        let context: ServerRequestContext
        let access: AccessControl

        var index: Int { served.index }
        var definition: ResourceDefinition { served.definition }
        /// The definition of what is stored.
        var stored: ResourceDefinition { served.stored }
        var resource: Resource { served.definition.resource }

        /// The key of the named object.
        var key: ObjectKey {
            ObjectKey(namespace: resource.isNamespaced ? path.namespace ?? "" : "", name: path.name ?? "")
        }

        /// Who asks.
        var requester: Requester { Requester(user: context.user, access: access) }

        /// The options common to all writes.
        func writeOptions() throws(StatusError) -> WriteOptions {
            var options = WriteOptions()
            options.isDryRun = try Self.isDryRun(query.all("dryRun"), optionsKind)
            options.tracking = .manager(try fieldManager())
            options.requester = requester
            options.isPatch = request.method == .patch
            return options
        }

        /// The kind that the query's options have in the API.
        private var optionsKind: String {
            switch request.method {
            case .post: "CreateOptions"
            case .put: "UpdateOptions"
            case .patch: "PatchOptions"
            default: "DeleteOptions"
            }
        }

        private static func isDryRun(_ values: [String], _ kind: String) throws(StatusError) -> Bool {
            let problems = dryRunProblems(values)
            guard problems.isEmpty else {
                throw .invalid(kind: kind, group: "meta.k8s.io", name: "", causes: problems)
            }
            return values.contains { !$0.isEmpty }
        }

        /// What is wrong with the values of `dryRun`.
        static func dryRunProblems(_ values: [String]) -> [FieldError] {
            let values = values.filter { !$0.isEmpty }
            guard values.contains(where: { $0 != "All" }) else { return [] }
            return [.notSupported("dryRun", .array(values.map { .string($0) }), ["All"])]
        }

        /// The name by which the client owns what it writes: its own choice, or its program's name.
        private func fieldManager() throws(StatusError) -> String {
            var problems: [FieldError] = []
            if request.method == .patch, query["force"] != nil,
                request.headers[.contentType].map({ MediaRange($0).type }) != AppliedConfiguration.mediaType
            {
                problems.append(.forbidden("force", "may not be specified for non-apply patch"))
            }
            let name = query["fieldManager"] ?? ""
            if name.utf8.count > Self.managerLimit {
                problems.append(.tooLong("fieldManager", limit: Self.managerLimit))
            }
            for index in name.unicodeScalars.indices where !Self.isPrintable(name.unicodeScalars[index]) {
                let code = String(name.unicodeScalars[index].value, radix: 16, uppercase: true)
                let padded = String(repeating: "0", count: max(0, 4 - code.count)) + code
                let position = name.utf8.distance(from: name.startIndex, to: index)
                let text = "invalid character U+\(padded) (at position \(position))"
                problems.append(.invalid("fieldManager", .string(name), text))
            }
            guard problems.isEmpty else {
                throw .invalid(kind: optionsKind, group: "meta.k8s.io", name: "", causes: problems)
            }
            guard name.isEmpty else { return name }
            let program = (request.headers[.userAgent] ?? "").unicodeScalars.prefix { $0 != "/" }
            return String(String.UnicodeScalarView(program.lazy.filter(Self.isPrintable).prefix(Self.managerLimit)))
        }

        /// Longest name of a manager, in bytes.
        private static let managerLimit = 128

        private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
            if scalar.isASCII { return (0x20..<0x7F).contains(scalar.value) }
            return switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
            case .spaceSeparator: scalar == " "
            default: true
            }
        }
    }

    /// Answers a request whose path is below a group and version.
    func respond(
        to request: Request, _ path: RequestTarget.ResourcePath, _ query: Query, _ context: ServerRequestContext
    ) async throws -> Response {
        let place = ServedPlace(group: path.group, version: path.version, plural: path.plural)
        guard let served = served[place] else { throw StatusError.unknownPath() }
        // A path without namespace means the whole cluster, and there only lists and watches make sense.
        let isNamespaced = served.definition.resource.isNamespaced
        guard isNamespaced || path.namespace == nil, !isNamespaced || path.namespace != nil || path.name == nil
        else { throw StatusError.unknownPath() }
        let negotiated = OutputFormat.negotiate(
            accept: request.headers[.accept], isPretty: Self.isForPeople(request, query),
            hasProtobuf: served.hasProtobuf)
        // Subresources like logs negotiate nothing with this server.
        guard let format = negotiated ?? (path.subresource == nil ? nil : .json) else {
            throw StatusError.notAcceptable(supported: OutputFormat.supported)
        }
        let call = Call(
            served: served, path: path, query: query, format: format, request: request, context: context,
            access: access)
        let response: Response
        do {
            if path.subresource != nil {
                response = try await subresource(call)
            } else {
                response = path.name == nil ? try await collection(call) : try await item(call)
            }
        } catch let error as StatusError {
            response = .failure(error, format.encoding)
        }
        let verb = RequestCounters.Verb(request, path, query)
        counters.count(.init(index: served.index, verb: verb, code: response.status.code))
        return response
    }

    /// True when JSON shall be laid out for reading: on demand, and for browsers and command-line tools.
    private static func isForPeople(_ request: Request, _ query: Query) -> Bool {
        if let wish = query["pretty"], !wish.isEmpty { return query.flag("pretty") }
        let agent = request.headers[.userAgent] ?? ""
        return ["curl", "Wget", "Mozilla/5.0"].contains { agent.hasPrefix($0) }
    }

    private func collection(_ call: Call) async throws -> Response {
        switch call.request.method {
        case .get, .head:
            if call.request.method == .get, call.path.isWatch || call.query.flag("watch") {
                try require(.watch, call)
                return try await watch(call)
            }
            try require(.list, call)
            return try await list(call)
        case .post:
            guard !call.resource.isNamespaced || call.path.namespace != nil else {
                throw StatusError.methodNotAllowed(call.resource, "create")
            }
            try require(.create, call)
            if let review = call.definition.review { return try await ask(review, call) }
            if call.resource == .bindings { return try await bind(call) }
            return try await create(call)
        case .delete:
            guard !call.resource.isNamespaced || call.path.namespace != nil else {
                throw StatusError.methodNotAllowed(call.resource, "deletecollection")
            }
            try require(.deletecollection, call)
            return try await deleteCollection(call)
        default: throw StatusError.methodNotAllowed(call.resource, call.request.method.rawValue.lowercased())
        }
    }

    private func item(_ call: Call) async throws -> Response {
        switch call.request.method {
        case .get, .head:
            if call.request.method == .get, call.path.isWatch {
                try require(.watch, call)
                return try await watch(call)
            }
            try require(.get, call)
            return try get(call)
        case .put:
            try require(.update, call)
            return try await update(call, subresource: nil)
        case .patch:
            try require(.patch, call)
            return try await patch(call, subresource: nil)
        case .delete:
            try require(.delete, call)
            return try await delete(call)
        default: throw StatusError.methodNotAllowed(call.resource, call.request.method.rawValue.lowercased())
        }
    }

    private func require(_ verb: ResourceDefinition.Verb, _ call: Call) throws(StatusError) {
        guard call.definition.verbs.contains(verb) else {
            throw .methodNotAllowed(call.resource, verb.rawValue)
        }
    }

    /// Answers GET of an object.
    func get(_ call: Call) throws -> Response {
        guard let object = store.object(call.index, call.key) else {
            throw StatusError.notFound(call.resource, call.key.name)
        }
        return answer(object, call)
    }

    /// An object in the form that the client asked for.
    func answer(_ object: StoredObject, _ call: Call, status: HTTPResponse.Status = .ok) -> Response {
        if call.format == .json, call.definition.form == nil { return .json(object.text, status: status) }
        return .value(ObjectView(call).item(object), call.format, status: status)
    }
}
