/// Something that happened to an object.
public struct Event: KubernetesObject, Hashable {
    /// The resource that serves these objects.
    public static var resource: Resource { .events }

    /// Name, labels, owners and versions.
    public var metadata: ObjectMeta
    /// The object.
    public var involvedObject: ObjectReference
    /// `Normal` or `Warning`.
    public var type: String?
    /// One CamelCase word.
    public var reason: String?
    /// A sentence for people.
    public var message: String?
    /// Who reports.
    public var source: EventSource?
    /// RFC 3339 time of the first occurrence.
    public var firstTimestamp: String?
    /// RFC 3339 time of the last occurrence.
    public var lastTimestamp: String?
    /// RFC 3339 time with microseconds, in the newer form.
    public var eventTime: String?
    /// Number of occurrences.
    public var count: Int?
    /// What was done.
    public var action: String?
    /// Who reports, in the newer form.
    public var reportingComponent: String?
    /// Which instance reports.
    public var reportingInstance: String?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        metadata: ObjectMeta = ObjectMeta(), involvedObject: ObjectReference = ObjectReference(), type: String? = nil,
        reason: String? = nil, message: String? = nil, source: EventSource? = nil, firstTimestamp: String? = nil,
        lastTimestamp: String? = nil, eventTime: String? = nil, count: Int? = nil, action: String? = nil,
        reportingComponent: String? = nil, reportingInstance: String? = nil
    ) {
        self.metadata = metadata
        self.involvedObject = involvedObject
        self.type = type
        self.reason = reason
        self.message = message
        self.source = source
        self.firstTimestamp = firstTimestamp
        self.lastTimestamp = lastTimestamp
        self.eventTime = eventTime
        self.count = count
        self.action = action
        self.reportingComponent = reportingComponent
        self.reportingInstance = reportingInstance
    }
}

/// Who reports an event.
public struct EventSource: Codable, Sendable, Hashable {
    /// Component.
    public var component: String?
    /// Node.
    public var host: String?

    /// Creates a value; fields left nil are absent on the wire.
    public init(component: String? = nil, host: String? = nil) {
        self.component = component
        self.host = host
    }
}
