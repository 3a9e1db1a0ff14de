import JSON
import KubernetesAPI

extension ResourceRegistry {
    /// Events, stored as those of the core group and served as those of `events.k8s.io` too.
    static func events(_ strategy: any ResourceStrategy) -> ResourceDefinition {
        ResourceDefinition(.events, shortNames: ["ev"], columns: EventColumns.all, strategy: strategy) {
            $0.isCreatedByUpdate = true
            $0.fields += (regarding.map { "involvedObject.\($0)" } + ["reason", "type"]).map { SelectableField($0) }
            $0.fields += ["reportingComponent", "source"].map {
                SelectableField($0, reading: ["reportingComponent", "source.component"]) {
                    EventColumns.component(of: $0)
                }
            }
            $0.alternates = [newEvents]
        }
    }

    /// Fields of the object that an event is about, by which events are selected.
    private static let regarding = [
        "kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath",
    ]

    private static let newEvents = AlternateForm(
        resource: Resource(
            group: "events.k8s.io", version: "v1", plural: "events", kind: "Event", isNamespaced: true),
        names: [
            ("involvedObject", "regarding"), ("message", "note"), ("reportingComponent", "reportingController"),
            ("source", "deprecatedSource"), ("firstTimestamp", "deprecatedFirstTimestamp"),
            ("lastTimestamp", "deprecatedLastTimestamp"), ("count", "deprecatedCount"),
        ],
        fields: [
            "reportingComponent": "reportingController"
        ].merging(regarding.map { ("involvedObject.\($0)", "regarding.\($0)") }) { first, _ in first },
        creationProblems: problems)

    /// What the new form demands and the old one does not; nobody sends the old members in it.
    private static let problems: @Sendable (JSONValue) -> [FieldError] = { event in
        var problems: [FieldError] = []
        if let series = event["series"] {
            if (series["count"]?.int ?? 0) < 2 {
                problems.append(.invalid("series.count", "", "should be at least 2"))
            }
            if series["lastObservedTime"]?.string == nil { problems.append(.required("series.lastObservedTime")) }
        }
        if event["eventTime"]?.string == nil { problems.append(.required("eventTime")) }
        let type = event["type"]?.string ?? ""
        if !["Normal", "Warning"].contains(type) {
            problems.append(.invalid("type", "", "has invalid value: \(type)"))
        }
        for name in ["firstTimestamp", "lastTimestamp", "count", "source"] where event[name] != nil {
            problems.append(.invalid(FieldPath(name), "", "needs to be unset"))
        }
        return problems
    }
}
