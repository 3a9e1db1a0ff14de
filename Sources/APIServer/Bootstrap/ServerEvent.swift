import JSON
import KubernetesAPI

/// Something about an object that needs attention, which the server itself found, as an Event.
struct ServerEvent: Sendable, Hashable {
    /// The resource of the object concerned.
    let resource: Resource
    /// Its namespace, empty for cluster-scoped resources.
    let namespace: String
    /// Its name.
    let name: String
    /// Its uid.
    let uid: String
    /// One word for programs.
    let reason: String
    /// A sentence for people.
    let message: String

    /// Describes an event about a stored object.
    init(_ resource: Resource, _ object: JSONValue, _ reason: String, _ message: String) {
        self.resource = resource
        namespace = object.at("metadata", "namespace")?.string ?? ""
        name = object.at("metadata", "name")?.string ?? ""
        uid = object.at("metadata", "uid")?.string ?? ""
        self.reason = reason
        self.message = message
    }

    /// Where the event is stored: events about objects without a namespace live in the default one.
    fileprivate var key: ObjectKey {
        // An IPv6 address is a name of an object, but no part of an event's name.
        let stem = String(name.map { $0 == ":" ? "x" : $0 })
        return ObjectKey(namespace: namespace.isEmpty ? "default" : namespace, name: "\(stem).\(digest)")
    }

    /// What tells the event from others of its object: equal for equal events (FNV-1a).
    private var digest: String {
        let text = "\(uid) \(reason) \(message)"
        let hash = text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return String(hash, radix: 16)
    }
}

extension WriteTransaction {
    /// Writes an event unless it has been written before.
    mutating func recordOnce(_ event: ServerEvent) {
        guard let index = index(of: .events), object(index, event.key) == nil else { return }
        record(event)
    }

    /// Writes an event, or counts it once more; one that cannot be written is lost.
    mutating func record(_ event: ServerEvent) {
        guard let index = index(of: .events) else { return }
        let key = event.key
        let now = JSONValue.string(Timestamp(seconds: Timestamp.now.seconds).description)
        if let known = object(index, key)?.value {
            var again = known
            again["count"] = .integer(Int64((known["count"]?.int ?? 1) + 1))
            again["lastTimestamp"] = now
            _ = put(again, index, key)
            return
        }
        var involved: JSONValue = [
            "apiVersion": .string(event.resource.apiVersion), "kind": .string(event.resource.kind),
            "name": .string(event.name), "uid": .string(event.uid),
        ]
        if !event.namespace.isEmpty { involved["namespace"] = .string(event.namespace) }
        let content: JSONValue = [
            "metadata": ["name": .string(key.name), "namespace": .string(key.namespace)],
            "involvedObject": involved, "reason": .string(event.reason), "message": .string(event.message),
            "type": "Warning", "source": ["component": .string(Self.component)],
            "reportingComponent": .string(Self.component), "firstTimestamp": now, "lastTimestamp": now, "count": 1,
        ]
        _ = try? create(content, index, namespace: key.namespace, WriteOptions())
    }

    private static let component = "duet-server"
}
