import HTTPTypes
import HummingbirdCore
import JSON
import KubernetesAPI
import NIOCore

extension APIHandler {
    /// Seconds after which a watch that names no timeout ends; clients then resume it.
    private static let defaultTimeout = 1_800...3_600
    /// Time between two bookmarks.
    private static let bookmarkInterval = Duration.seconds(50)
    /// How long before the end the last bookmark comes.
    private static let lastBookmarkLead = Duration.seconds(2)
    /// Bytes of initial events that are sent together.
    private static let chunkSize = 64 << 10

    /// Answers GET with `watch=true`.
    func watch(_ call: Call) async throws -> Response {
        guard call.format.encoding != .yaml else {
            throw StatusError.notAcceptable(supported: OutputFormat.supportedStreams)
        }
        let filter = try filter(call)
        let options = try ListOptions(call.query, isWatch: true)
        let hasBookmarks = call.query.flag("allowWatchBookmarks")
        let revision = options.resourceVersion.flatMap { $0 == 0 ? nil : $0 }
        let startsWithObjects = options.sendInitialEvents ?? (revision == nil)
        if startsWithObjects, let revision {
            try await store.waitForRevision(revision)
        }
        let from = startsWithObjects ? nil : revision ?? store.revision
        let encoder = WatchEncoder(call, frames)
        let timeout = Duration.seconds(
            try call.query.integer("timeoutSeconds").flatMap { $0 > 0 ? $0 : nil }
                ?? Int.random(in: Self.defaultTimeout))
        let session = WatchSession(
            store: store, index: call.index, filter: filter, encoder: encoder,
            endsInitialEvents: options.sendInitialEvents == true && hasBookmarks, hasBookmarks: hasBookmarks,
            isEnding: call.context.isEnding)
        return .stream(encoder.mediaType) { writer in
            guard
                let (watcher, revision) = try await session.begin(
                    after: from, chunkSize: Self.chunkSize,
                    { try await writer.write($0) })
            else { return }
            let timer = Task {
                await Self.tick(watcher, until: ContinuousClock.now + timeout, hasBookmarks: hasBookmarks)
            }
            defer {
                timer.cancel()
                session.store.endWatch(watcher)
            }
            try await session.follow(watcher, after: revision) { try await writer.write($0) }
        }
    }

    private static func tick(
        _ watcher: Watcher, until end: ContinuousClock.Instant, hasBookmarks: Bool
    ) async {
        let last = end - lastBookmarkLead
        while ContinuousClock.now < end {
            let now = ContinuousClock.now
            let next = hasBookmarks ? min(now < last ? last : end, now + bookmarkInterval) : end
            guard (try? await Task.sleep(until: next, clock: .continuous)) != nil else { return }
            if hasBookmarks, next < end {
                watcher.requestProgress()
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
    /// True when a bookmark shall mark the end of the initial events.
    let endsInitialEvents: Bool
    let hasBookmarks: Bool
    /// The end of the connection, or of the server, with which the watch ends.
    let isEnding: EventLoopFuture<Void>

    /// Starts to follow and sends what is there at first; nil when the revision is too old, which the client is told.
    ///
    /// The objects are held only for as long as this takes, not for the time of the watch.
    @concurrent
    func begin(
        after revision: Int64?, chunkSize: Int, _ write: @concurrent (ByteBuffer) async throws -> Void
    ) async throws -> (watcher: Watcher, revision: Int64)? {
        guard let start = store.watch(index, after: revision) else {
            let error = StatusError.expired("too old resource version: \(revision ?? 0) (\(store.horizon(index)))")
            try await write(ByteBuffer(bytes: encoder.failure(error)))
            return nil
        }
        isEnding.whenComplete { [weak watcher = start.watcher] _ in watcher?.cancel() }
        do {
            try await send(start.objects, revision: start.revision, chunkSize: chunkSize, write)
        } catch {
            store.endWatch(start.watcher)
            throw error
        }
        return (start.watcher, start.revision)
    }

    /// Sends what happens after a revision until the watcher is cancelled or too slow.
    @concurrent
    func follow(_ watcher: Watcher, after start: Int64, _ write: @concurrent (ByteBuffer) async throws -> Void)
        async throws
    {
        var revision = start
        for await _ in watcher.wakeUps {
            var hasMore = true
            while hasMore {
                guard let news = store.news(of: watcher, after: revision) else {
                    let error = StatusError.expired(
                        "too old resource version: \(revision) (\(store.horizon(index))): the watcher was too slow")
                    try await write(ByteBuffer(bytes: encoder.failure(error)))
                    return
                }
                var buffer = ByteBuffer()
                for event in news.events {
                    append(event, to: &buffer)
                }
                revision = news.revision
                hasMore = news.hasMore
                if hasBookmarks, news.isProgressDue {
                    buffer.writeBytes(encoder.bookmark(revision))
                }
                if buffer.readableBytes > 0 {
                    try await write(buffer)
                }
            }
        }
    }

    /// Sends the objects that are there at first, never more at a time than a chunk and one object.
    @concurrent
    private func send(
        _ objects: ObjectTree, revision: Int64, chunkSize: Int, _ write: @concurrent (ByteBuffer) async throws -> Void
    ) async throws {
        var last: ObjectKey?
        var buffer = ByteBuffer()
        repeat {
            if buffer.readableBytes > 0 {
                try await write(buffer)
                buffer = ByteBuffer()
            }
            objects.forEach(after: last) { object in
                last = object.key
                if filter.matches(object) {
                    encoder.append("ADDED", object, to: &buffer)
                }
                return buffer.readableBytes < chunkSize
            }
        } while buffer.readableBytes >= chunkSize
        if endsInitialEvents {
            buffer.writeBytes(encoder.bookmark(revision, endsInitialEvents: true))
        }
        if buffer.readableBytes > 0 {
            try await write(buffer)
        }
    }

    /// The event as seen through the filter: objects come and go as they begin and cease to match.
    private func append(_ event: StoredEvent, to buffer: inout ByteBuffer) {
        let matched = event.previous.map(filter.matches) ?? false
        let matches = event.kind != .deleted && filter.matches(event.object)
        switch (matched, matches) {
        case (false, false): break
        case (false, true): encoder.append("ADDED", event.object, to: &buffer, isNews: true)
        case (true, true): encoder.append("MODIFIED", event.object, to: &buffer, isNews: true)
        case (true, false):
            guard event.kind != .deleted, let previous = event.previous else {
                return encoder.append("DELETED", event.object, to: &buffer, isNews: true)
            }
            var last = previous.value
            last.set(.string(String(event.object.revision)), at: "metadata", "resourceVersion")
            buffer.writeBytes(encoder.event("DELETED", last))
        }
    }
}

/// Writes watch events as lines of JSON, or as frames of the binary form.
private struct WatchEncoder: Sendable {
    private let view: ObjectView
    private let resource: Resource
    private let isBinary: Bool
    private let frames: WatchFrames
    /// The form of the frames, if others may have the same; rows of tables tell the age of the moment.
    private let form: WatchFrames.Form?
    /// Bytes of a line besides its object's, and a few more.
    private static let frameBytes = 64

    init(_ call: APIHandler.Call, _ frames: WatchFrames) {
        view = ObjectView(call)
        resource = call.resource
        isBinary = call.format.encoding == .protobuf
        self.frames = frames
        if case .table = call.format.shape {
            form = nil
        } else {
            form = WatchFrames.Form(resource: resource, isBinary: isBinary, shape: call.format.shape)
        }
    }

    var mediaType: String {
        isBinary ? "\(OutputFormat.Encoding.protobuf.mediaType);stream=watch" : OutputFormat.Encoding.json.mediaType
    }

    /// - Parameter isNews: Whether other watchers get the same at the same time.
    func append(_ type: String, _ object: StoredObject, to buffer: inout ByteBuffer, isNews: Bool = false) {
        guard view.isPlain, !isBinary else {
            guard isNews, let form else {
                buffer.writeBytes(event(type, object.value))
                return
            }
            let key = WatchFrames.Key(form: form, type: type, revision: object.revision)
            buffer.writeBytes(frames.frame(key) { event(type, object.value) })
            return
        }
        buffer.reserveCapacity(minimumWritableBytes: object.text.count + Self.frameBytes)
        buffer.writeStaticString("{\"type\":\"")
        buffer.writeString(type)
        buffer.writeStaticString("\",\"object\":")
        buffer.writeBytes(object.text)
        buffer.writeStaticString("}\n")
    }

    func event(_ type: String, _ value: JSONValue) -> [UInt8] { frame(type, view.item(value, isFirst: true)) }

    func failure(_ error: StatusError) -> [UInt8] { frame("ERROR", error.status) }

    func bookmark(_ revision: Int64, endsInitialEvents: Bool = false) -> [UInt8] {
        var metadata: JSONValue = ["resourceVersion": .string(String(revision)), "creationTimestamp": .null]
        if endsInitialEvents {
            metadata["annotations"] = ["k8s.io/initial-events-end": "true"]
        }
        let object: JSONValue = [
            "kind": .string(resource.kind), "apiVersion": .string(resource.apiVersion), "metadata": metadata,
        ]
        return frame("BOOKMARK", view.bookmark(object))
    }

    private func frame(_ type: String, _ value: JSONValue) -> [UInt8] {
        // The binary form was negotiated, so the resource has it, and everything else that a watch sends too.
        isBinary ? ProtobufBody.watchFrame(type, value) ?? [] : line(type, value.serialized())
    }

    private func line(_ type: String, _ object: [UInt8]) -> [UInt8] {
        Array("{\"type\":\"\(type)\",\"object\":".utf8) + object + Array("}\n".utf8)
    }
}

extension Response {
    /// An answer whose body is written bit by bit.
    static func stream(
        _ mediaType: String, _ body: @escaping @Sendable @concurrent (inout any ResponseBodyWriter) async throws -> Void
    ) -> Response {
        Response(
            status: .ok, headers: [.contentType: mediaType, .cacheControl: "no-cache, private"],
            body: ResponseBody { writer in
                try await body(&writer)
                try await writer.finish(nil)
            })
    }
}
