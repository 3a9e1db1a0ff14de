import Hummingbird
import JSON
import KubernetesAPI
import NIOCore
import ServiceLifecycle

extension APIHandler {
    /// Seconds after which a watch that names no timeout ends; clients then resume it.
    private static let defaultTimeout = 1_800...3_600
    /// Time between two bookmarks.
    private static let bookmarkInterval = Duration.seconds(50)
    /// Bytes of initial events that are sent together.
    private static let chunkSize = 64 << 10

    /// Answers GET with `watch=true`.
    func watch(_ call: Call) throws -> Response {
        let filter = try filter(call)
        let wanted = call.query["resourceVersion"] ?? ""
        let sendsInitialEvents = call.query["sendInitialEvents"].map { $0 == "true" || $0 == "1" }
        let hasBookmarks = call.query.flag("allowWatchBookmarks")
        if sendsInitialEvents != nil, call.query["resourceVersionMatch"] != "NotOlderThan" {
            throw StatusError.invalid(
                kind: "ListOptions", group: "meta.k8s.io", name: "",
                causes: [
                    .forbidden(
                        "resourceVersionMatch",
                        "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
                ])
        }
        guard wanted.isEmpty || Int64(wanted).map({ $0 >= 0 }) ?? false else {
            throw StatusError.badRequest("invalid resource version \"\(wanted)\"")
        }
        let revision = Int64(wanted).flatMap { $0 == 0 ? nil : $0 }
        let startsWithObjects = sendsInitialEvents ?? (revision == nil)
        let from = startsWithObjects ? nil : revision ?? store.revision
        let encoder = WatchEncoder(call)
        guard let start = store.watch(call.index, after: from) else {
            let error = StatusError.expired(
                "too old resource version: \(wanted) (\(store.horizon(call.index)))")
            return .stream { writer in
                try await writer.write(ByteBuffer(bytes: encoder.failure(error)))
            }
        }
        let timeout = Duration.seconds(
            try call.query.integer("timeoutSeconds").flatMap { $0 > 0 ? $0 : nil }
                ?? Int.random(in: Self.defaultTimeout))
        let session = WatchSession(
            store: store, index: call.index, filter: filter, encoder: encoder, start: start,
            endsInitialEvents: sendsInitialEvents == true && hasBookmarks, hasBookmarks: hasBookmarks,
            after: from ?? 0)
        call.context.channel.closeFuture.whenComplete { _ in start.watcher.cancel() }
        return .stream { writer in
            let timer = Task {
                await Self.tick(store, start.watcher, until: ContinuousClock.now + timeout, hasBookmarks: hasBookmarks)
            }
            defer {
                timer.cancel()
                store.endWatch(call.index, start.watcher)
            }
            try await withGracefulShutdownHandler {
                try await session.run(chunkSize: Self.chunkSize) { try await writer.write(ByteBuffer(bytes: $0)) }
            } onGracefulShutdown: {
                start.watcher.cancel()
            }
        }
    }

    private static func tick(
        _ store: Store, _ watcher: Watcher, until end: ContinuousClock.Instant, hasBookmarks: Bool
    ) async {
        while ContinuousClock.now < end {
            let next = hasBookmarks ? min(end, ContinuousClock.now + bookmarkInterval) : end
            guard (try? await Task.sleep(until: next, clock: .continuous)) != nil else { return }
            if hasBookmarks {
                store.reportProgress(to: watcher)
            }
        }
        watcher.cancel()
    }
}

/// Turns store events into what one client sees.
private struct WatchSession: Sendable {
    let store: Store
    let index: Int
    let filter: ObjectFilter
    let encoder: WatchEncoder
    let start: Store.WatchStart
    /// True when a bookmark shall mark the end of the initial events.
    let endsInitialEvents: Bool
    let hasBookmarks: Bool
    /// Events up to this revision are not wanted, even if they are still to come.
    let after: Int64

    func run(chunkSize: Int, write: ([UInt8]) async throws -> Void) async throws {
        var buffer: [UInt8] = []
        for text in initialEvents() {
            buffer += text
            if buffer.count >= chunkSize {
                try await write(buffer)
                buffer.removeAll(keepingCapacity: true)
            }
        }
        if endsInitialEvents {
            buffer += encoder.bookmark(start.revision, endsInitialEvents: true)
        }
        if !buffer.isEmpty {
            try await write(buffer)
        }
        for await item in start.watcher.items {
            switch item {
            case .event(let event):
                guard event.object.revision > after, let text = change(event) else { continue }
                try await write(text)
            case .progress(let revision):
                if hasBookmarks {
                    try await write(encoder.bookmark(revision))
                }
            }
        }
    }

    private func initialEvents() -> [[UInt8]] {
        var texts: [[UInt8]] = []
        start.objects.forEach { object in
            if filter.matches(object) {
                texts.append(encoder.event("ADDED", object))
            }
            return true
        }
        return texts + start.events.compactMap(change)
    }

    /// The event as seen through the filter: objects come and go as they begin and cease to match.
    private func change(_ event: StoredEvent) -> [UInt8]? {
        let matched = event.previous.map(filter.matches) ?? false
        let matches = event.kind != .deleted && filter.matches(event.object)
        switch (matched, matches) {
        case (false, false): return nil
        case (false, true): return encoder.event("ADDED", event.object)
        case (true, true): return encoder.event("MODIFIED", event.object)
        case (true, false):
            guard event.kind != .deleted, let previous = event.previous else {
                return encoder.event("DELETED", event.object)
            }
            var last = previous.value
            last.set(.string(String(event.object.revision)), at: "metadata", "resourceVersion")
            return encoder.event("DELETED", last)
        }
    }
}

/// Writes watch events as lines of JSON.
private struct WatchEncoder: Sendable {
    private let view: ObjectView
    private let resource: Resource

    init(_ call: APIHandler.Call) {
        view = ObjectView(call)
        resource = call.resource
    }

    func event(_ type: String, _ object: StoredObject) -> [UInt8] {
        view.isPlain ? line(type, object.text) : event(type, object.value)
    }

    func event(_ type: String, _ value: JSONValue) -> [UInt8] {
        line(type, view.item(value, isFirst: true).serialized())
    }

    func failure(_ error: StatusError) -> [UInt8] { line("ERROR", error.status.serialized()) }

    func bookmark(_ revision: Int64, endsInitialEvents: Bool = false) -> [UInt8] {
        var metadata: JSONValue = ["resourceVersion": .string(String(revision)), "creationTimestamp": .null]
        if endsInitialEvents {
            metadata["annotations"] = ["k8s.io/initial-events-end": "true"]
        }
        let object: JSONValue = [
            "kind": .string(resource.kind), "apiVersion": .string(resource.apiVersion), "metadata": metadata,
        ]
        return line("BOOKMARK", view.bookmark(object).serialized())
    }

    private func line(_ type: String, _ object: [UInt8]) -> [UInt8] {
        Array("{\"type\":\"\(type)\",\"object\":".utf8) + object + Array("}\n".utf8)
    }
}

extension Response {
    /// An answer whose body is written bit by bit.
    static func stream(_ body: @escaping @Sendable (inout any ResponseBodyWriter) async throws -> Void) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-cache, private"],
            body: ResponseBody { writer in
                try await body(&writer)
                try await writer.finish(nil)
            })
    }
}
