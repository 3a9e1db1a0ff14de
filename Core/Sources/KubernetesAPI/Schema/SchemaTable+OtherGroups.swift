extension SchemaTable {
    /// The types of group `discovery.k8s.io`.
    static let discovery = """
        Endpoint: addresses! [string], conditions EndpointConditions, deprecatedTopology {string}, hints
            EndpointHints, hostname string?, nodeName string?, targetRef core.ObjectReference, zone string?
        EndpointConditions: ready bool, serving bool, terminating bool
        EndpointHints: forNodes [ForNode], forZones [ForZone]
        EndpointPort: appProtocol string?, name string?, port int32, protocol string
        EndpointSlice: addressType! string, apiVersion string, endpoints [Endpoint], kind string, metadata
            meta.ObjectMeta, ports [EndpointPort]
        ForNode: name! string
        ForZone: name! string
        """

    /// The types of group `coordination.k8s.io`.
    static let coordination = """
        Lease: apiVersion string, kind string, metadata meta.ObjectMeta, spec LeaseSpec
        LeaseSpec: acquireTime microTime, holderIdentity string, leaseDurationSeconds int32, leaseTransitions int32,
            preferredHolder string, renewTime microTime, strategy string
        """

    /// The types of group `events.k8s.io`.
    static let events = """
        Event: action string, apiVersion string, deprecatedCount int32, deprecatedFirstTimestamp time,
            deprecatedLastTimestamp time, deprecatedSource core.EventSource, eventTime! microTime, kind string,
            metadata meta.ObjectMeta, note string, reason string, regarding core.ObjectReference, related
            core.ObjectReference, reportingController string, reportingInstance string, series EventSeries, type
            string
        EventSeries: count! int32, lastObservedTime! microTime
        """

    /// The types of group `networking.k8s.io`.
    static let networking = """
        IPAddress: apiVersion string, kind string, metadata meta.ObjectMeta #1, spec IPAddressSpec #2
        IPAddressSpec: parentRef! ParentReference #1
        ParentReference: group string #1, name! string #4, namespace string #3, resource! string #2
        ServiceCIDR: apiVersion string, kind string, metadata meta.ObjectMeta #1, spec ServiceCIDRSpec #2, status
            ServiceCIDRStatus #3
        ServiceCIDRSpec: cidrs [string] #1
        ServiceCIDRStatus: conditions [meta.Condition] merge:type keys:type #1
        """

    /// The types of group `autoscaling`.
    static let autoscaling = """
        Scale: apiVersion string, kind string, metadata meta.ObjectMeta, spec ScaleSpec, status ScaleStatus
        ScaleSpec: replicas int32
        ScaleStatus: replicas! int32, selector string
        """
}
