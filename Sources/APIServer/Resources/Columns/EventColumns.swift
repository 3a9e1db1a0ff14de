import JSON
import KubernetesAPI

/// What `kubectl get events` shows.
enum EventColumns {
    static let all: [TableColumn] = [
        TableColumn("Last Seen", "Time since it happened last.") { event, now in .string(lastSeen(event, now)) },
        TableColumn("Type", "Normal or Warning.") { $0["type"]?.string ?? "" },
        TableColumn("Reason", "Why.") { $0["reason"]?.string ?? "" },
        TableColumn("Object", "What it happened to.") { event in
            let kind = event.at("involvedObject", "kind")?.string?.lowercased() ?? ""
            return "\(kind)/\(event.at("involvedObject", "name")?.string ?? "")"
        },
        TableColumn("Subobject", priority: 1, "The part it happened to.") {
            $0.at("involvedObject", "fieldPath")?.string ?? ""
        },
        TableColumn("Source", priority: 1, "Who reports it.") { event in
            [component(of: event), event.at("source", "host")?.string ?? ""].filter { !$0.isEmpty }
                .joined(separator: ", ")
        },
        TableColumn("Message", "What happened.") {
            $0["message"]?.string.map { String($0.drop(while: \.isWhitespace)) } ?? ""
        },
        TableColumn("First Seen", priority: 1, "Time since it happened first.") { event, now in
            .string(Age.text(since: event["firstTimestamp"]?.string ?? event["eventTime"]?.string, now))
        },
        TableColumn("Count", type: "integer", priority: 1, "How often it happened.") { event, _ in
            event.at("series", "count") ?? event["count"] ?? 1
        },
        TableColumn("Name", format: "name", priority: 1, "The name of the event.") { event, _ in
            event.at("metadata", "name") ?? ""
        },
    ]

    /// Who reports an event.
    static func component(of event: JSONValue) -> String {
        event["reportingComponent"]?.string.orNone ?? event.at("source", "component")?.string ?? ""
    }

    private static func lastSeen(_ event: JSONValue, _ now: Timestamp) -> String {
        let last =
            event.at("series", "lastObservedTime")?.string ?? event["lastTimestamp"]?.string
            ?? event["eventTime"]?.string ?? event.at("metadata", "creationTimestamp")?.string
        return Age.text(since: last, now)
    }
}
