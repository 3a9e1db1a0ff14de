import JSON
import KubernetesAPI
import KubernetesClient
import Logging
import Synchronization

/// Reports what happens to objects as Event objects, in the background.
///
/// A bounded number waits to be sent and a bounded number is remembered for counting repetitions: under a flood the oldest
/// are forgotten first.
final class EventRecorder: Sendable {
    /// What makes two events the same.
    private struct Identity: Hashable {
        let object: ObjectReference
        let type: String
        let reason: String
        let message: String
    }

    private struct State {
        var known: [Identity: (name: String, count: Int)] = [:]
        var order: [Identity] = []
    }

    private let client: KubernetesClient
    private let component: String
    private let logger: Logger
    private let stream: AsyncStream<Identity>
    private let continuation: AsyncStream<Identity>.Continuation
    private let state = Mutex(State())

    private static let remembered = 512

    init(client: KubernetesClient, component: String, logger: Logger) {
        self.client = client
        self.component = component
        self.logger = logger
        (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(256))
    }

    /// Reports something that went as intended.
    func normal(_ object: some KubernetesObject, _ reason: String, _ message: String) {
        record(object.reference, "Normal", reason, message)
    }

    /// Reports something that needs attention.
    func warning(_ object: some KubernetesObject, _ reason: String, _ message: String) {
        record(object.reference, "Warning", reason, message)
    }

    private func record(_ object: ObjectReference, _ type: String, _ reason: String, _ message: String) {
        continuation.yield(
            Identity(object: object, type: type, reason: reason, message: String(message.prefix(1024))))
    }

    /// Sends events until the task is cancelled.
    func run() async {
        for await event in stream {
            do {
                try await send(event)
            } catch {
                logger.debug("an event was lost", metadata: ["reason": "\(event.reason)", "error": "\(error)"])
            }
        }
    }

    private func send(_ identity: Identity) async throws {
        let now = Timestamp.now
        let namespace = identity.object.namespace ?? "default"
        if let (name, count) = state.withLock({ $0.known[identity] }) {
            let patch: JSONValue = ["count": .integer(Int64(count + 1)), "lastTimestamp": .string("\(now)")]
            do {
                let _: Event = try await client.patch(Event.self, namespace: namespace, name: name, patch: patch)
                state.withLock { $0.known[identity]?.count = count + 1 }
                return
            } catch let error as StatusError where error.code == 404 {
                state.withLock { _ = $0.known.removeValue(forKey: identity) }
            }
        }
        let suffix = String(UInt64.random(in: 0...UInt64.max), radix: 16)
        let event = Event(
            metadata: ObjectMeta(name: "\(identity.object.name ?? "").\(suffix)", namespace: namespace),
            involvedObject: identity.object, type: identity.type, reason: identity.reason, message: identity.message,
            source: EventSource(component: component), firstTimestamp: "\(now)", lastTimestamp: "\(now)", count: 1,
            reportingComponent: component)
        let created = try await client.create(event)
        state.withLock { state in
            state.known[identity] = (created.name, 1)
            state.order.append(identity)
            if state.order.count > Self.remembered {
                state.known[state.order.removeFirst()] = nil
            }
        }
    }
}
