import JSON
package import KubernetesAPI
package import Logging

/// Writes events about objects; when the server is slow, the newest hundred wait and older ones are dropped.
package final class EventRecorder: Sendable {
    private struct Occurrence: Sendable {
        var object: ObjectReference
        var isWarning: Bool
        var reason: String
        var message: String
        var time: Timestamp
    }

    private struct Written {
        var name: String
        var count: Int
    }

    private let source: EventSource
    private let occurrences: AsyncStream<Occurrence>
    private let continuation: AsyncStream<Occurrence>.Continuation

    /// Creates a recorder that speaks for a component of a node.
    package init(component: String, node: String) {
        source = EventSource(component: component, host: node)
        (occurrences, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(100))
    }

    /// Notes an event; it is written later.
    package func record(
        _ object: ObjectReference, reason: String, message: String, isWarning: Bool = false
    ) {
        let message = String(message.prefix(1024))
        continuation.yield(
            Occurrence(object: object, isWarning: isWarning, reason: reason, message: message, time: .now))
    }

    /// Writes events until the task is cancelled; an event that repeats counts up the one written before.
    package func run(client: KubernetesClient, logger: Logger) async {
        var written: [String: Written] = [:]
        for await occurrence in occurrences {
            let object = occurrence.object
            let key = [object.uid ?? object.name ?? "", object.fieldPath ?? "", occurrence.reason, occurrence.message]
                .joined(separator: "\u{0}")
            let namespace = object.namespace ?? "default"
            do {
                if let old = written[key] {
                    written[key] = try await count(old, occurrence, namespace, client)
                    continue
                }
            } catch {
                // The event has expired on the server: write it anew.
                written[key] = nil
            }
            do {
                let event = try await client.create(event(occurrence, namespace))
                if written.count >= 500 { written.removeAll(keepingCapacity: true) }
                written[key] = Written(name: event.name, count: 1)
            } catch {
                logger.debug("cannot write event \(occurrence.reason) of \(object.name ?? ""): \(error)")
            }
        }
    }

    private func count(
        _ old: Written, _ occurrence: Occurrence, _ namespace: String, _ client: KubernetesClient
    ) async throws -> Written {
        let count = old.count + 1
        try await client.patch(
            Event.self, namespace: namespace, name: old.name,
            patch: ["count": .integer(Int64(count)), "lastTimestamp": .string(occurrence.time.description)])
        return Written(name: old.name, count: count)
    }

    private func event(_ occurrence: Occurrence, _ namespace: String) -> Event {
        let suffix = String(UInt64.random(in: 0...UInt64.max), radix: 16)
        var event = Event(
            metadata: ObjectMeta(name: "\(occurrence.object.name ?? "object").\(suffix)", namespace: namespace),
            involvedObject: occurrence.object)
        event.type = occurrence.isWarning ? "Warning" : "Normal"
        event.reason = occurrence.reason
        event.message = occurrence.message
        event.source = source
        event.firstTimestamp = occurrence.time.description
        event.lastTimestamp = occurrence.time.description
        event.count = 1
        event.reportingComponent = source.component
        event.reportingInstance = source.host
        return event
    }
}
