extension SchemaTable {
    /// The types of group `discovery.k8s.io`.
    static let discovery = """
        Endpoint: addresses! [string] #1, conditions EndpointConditions #2, deprecatedTopology {string} #5, hints
            EndpointHints #8, hostname string? #3, nodeName string? #6, targetRef core.ObjectReference #4, zone
            string? #7
        EndpointConditions: ready bool? #1, serving bool? #2, terminating bool? #3
        EndpointHints: forNodes [ForNode] #2, forZones [ForZone] #1
        EndpointPort: appProtocol string? #4, name string? #1, port int32? #3, protocol string #2
        EndpointSlice: addressType! string #4, apiVersion string, endpoints [Endpoint] #2, kind string, metadata
            meta.ObjectMeta #1, ports [EndpointPort] #3
        ForNode: name! string #1
        ForZone: name! string #1
        """

    /// The types of group `coordination.k8s.io`.
    static let coordination = """
        Lease: apiVersion string, kind string, metadata meta.ObjectMeta #1, spec LeaseSpec #2
        LeaseSpec: acquireTime microTime #3, holderIdentity string #1, leaseDurationSeconds int32? #2,
            leaseTransitions int32? #5, preferredHolder string #7, renewTime microTime #4, strategy string #6
        """

    /// The types of group `events.k8s.io`.
    static let events = """
        Event: action string #6, apiVersion string, deprecatedCount int32 #15, deprecatedFirstTimestamp time #13,
            deprecatedLastTimestamp time #14, deprecatedSource core.EventSource #12, eventTime! microTime #2, kind
            string, metadata meta.ObjectMeta #1, note string #10, reason string #7, regarding core.ObjectReference
            #8, related core.ObjectReference #9, reportingController string #4, reportingInstance string #5, series
            EventSeries #3, type string #11
        EventSeries: count! int32 #1, lastObservedTime! microTime #2
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
        Scale: apiVersion string, kind string, metadata meta.ObjectMeta #1, spec ScaleSpec #2, status ScaleStatus #3
        ScaleSpec: replicas int32 #1
        ScaleStatus: replicas! int32 #1, selector string #2
        """
}
