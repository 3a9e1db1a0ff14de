import Foundation
import HummingbirdCore
import JSON
package import KubernetesAPI
import NIOCore

extension APIHandler {
    /// Answers GET of a collection.
    func list(_ call: Call) async throws -> Response {
        let filter = try filter(call)
        let limit = try call.query.integer("limit") ?? 0
        let options = try ListOptions(call.query, isWatch: false)
        let (tree, revision) = try await snapshot(call, options)

        var objects: [StoredObject] = []
        var next: ObjectKey?
        var remaining = 0
        tree.forEach(namespace: call.path.namespace, after: options.token?.start) { object in
            guard filter.matches(object) else { return true }
            if limit > 0, objects.count == limit {
                next = objects.last?.key
                remaining += 1
                // Only a list without selectors tells how much is left.
                return filter.isUnrestricted
            }
            objects.append(object)
            return true
        }
        var metadata: JSONValue = ["resourceVersion": .string(String(revision))]
        if let next {
            metadata["continue"] = .string(ContinueToken(revision: revision, start: next).text)
            if filter.isUnrestricted {
                metadata["remainingItemCount"] = .integer(Int64(remaining))
            }
        }
        let view = ObjectView(call)
        guard view.isPlain, call.format.encoding == .json else {
            return .value(view.list(objects, metadata), call.format)
        }
        return .list(ListText(objects, metadata, call.resource))
    }

    /// The selection that a request's query describes.
    func filter(_ call: Call) throws(StatusError) -> ObjectFilter {
        try ObjectFilter(
            call.definition, namespace: call.path.namespace, name: call.path.name,
            labelSelector: call.query["labelSelector"], fieldSelector: call.query["fieldSelector"])
    }

    /// The objects as of the revision that the request asks for.
    private func snapshot(
        _ call: Call, _ options: ListOptions
    ) async throws -> (tree: ObjectTree, revision: Int64) {
        if let token = options.token {
            guard let revision = token.revision else { return store.snapshot(call.index) }
            guard let tree = store.snapshot(call.index, at: revision) else {
                var error = StatusError.expired(Self.expiredToken)
                error.continueToken = ContinueToken(revision: nil, start: token.start).text
                throw error
            }
            return (tree, revision)
        }
        guard let revision = options.resourceVersion, revision > 0 else { return store.snapshot(call.index) }
        try await store.waitForRevision(revision)
        guard options.match == .exact else { return store.snapshot(call.index) }
        guard let tree = store.snapshot(call.index, at: revision) else {
            throw StatusError.expired("The resourceVersion for the provided list is too old.")
        }
        return (tree, revision)
    }

    private static let expiredToken =
        "The provided continue parameter is too old to display a consistent list result. You can start a new list "
        + "without the continue parameter, or use the continue token in this response to retrieve the remainder of the "
        + "results. Continuing with the provided token results in an inconsistent list - objects that were created, "
        + "modified, or deleted between the time the first chunk was returned and now may show up in the list."
}

/// Where the next page of a list begins.
package struct ContinueToken: Sendable, Equatable {
    /// The state that all pages show; nil to go on with the newest, though the pages then do not fit together.
    package let revision: Int64?
    /// The last object of the page before.
    package let start: ObjectKey

    /// A token for the page after an object.
    package init(revision: Int64?, start: ObjectKey) {
        self.revision = revision
        self.start = start
    }

    /// Reads the text of a token.
    package init(_ text: String) throws(StatusError) {
        guard let data = Data(base64Encoded: text), let value = try? JSONValue(parsing: [UInt8](data)),
            let revision = value["rv"]?.int, let namespace = value["namespace"]?.string,
            let name = value["name"]?.string
        else { throw .badRequest("continue key is not valid: \(text)") }
        self.init(revision: revision < 0 ? nil : Int64(revision), start: ObjectKey(namespace: namespace, name: name))
    }

    /// The opaque text.
    package var text: String {
        let value: JSONValue = [
            "rv": .integer(revision ?? -1), "namespace": .string(start.namespace), "name": .string(start.name),
        ]
        return Data(value.serialized()).base64EncodedString()
    }
}

extension Store {
    /// Waits until a revision is there.
    ///
    /// - Throws: 504 when it is still in the future after three seconds.
    nonisolated func waitForRevision(_ revision: Int64) async throws {
        let deadline = ContinuousClock.now + .seconds(3)
        while self.revision < revision {
            guard ContinuousClock.now < deadline else {
                throw StatusError.timeout(
                    "Too large resource version: \(revision), current: \(self.revision)", retryAfterSeconds: 1,
                    causes: [.init(reason: "ResourceVersionTooLarge", message: "Too large resource version")])
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
