extension SchemaTable {
    /// The types of the other objects of the core group.
    static let objects = """
        Binding: apiVersion string, kind string, metadata meta.ObjectMeta #1, target! ObjectReference #2
        ClientIPConfig: timeoutSeconds int32? #1
        ConfigMap: apiVersion string, binaryData {bytes} #3, data {string} #2, immutable bool? #4, kind string,
            metadata meta.ObjectMeta #1
        EndpointAddress: hostname string #3, ip! string #1, nodeName string #4, targetRef ObjectReference #2
        EndpointPort: appProtocol string? #4, name string? #1, port! int32 #2, protocol string #3
        EndpointSubset: addresses [EndpointAddress] #1, notReadyAddresses [EndpointAddress] #2, ports [EndpointPort]
            #3
        Endpoints: apiVersion string, kind string, metadata meta.ObjectMeta #1, subsets [EndpointSubset] #2
        Event: action string #12, apiVersion string, count int32 #8, eventTime microTime #10, firstTimestamp time
            #6, involvedObject! ObjectReference #2, kind string, lastTimestamp time #7, message string #4, metadata!
            meta.ObjectMeta #1, reason string #3, related ObjectReference #13, reportingComponent string #14,
            reportingInstance string #15, series EventSeries #11, source EventSource #5, type string #9
        EventSeries: count int32 #1, lastObservedTime microTime #2
        EventSource: component string #1, host string #2
        LoadBalancerIngress: hostname string #2, ip string #1, ipMode string #3, ports [PortStatus] #4
        LoadBalancerStatus: ingress [LoadBalancerIngress] #1
        Namespace: apiVersion string, kind string, metadata meta.ObjectMeta #1, spec NamespaceSpec #2, status
            NamespaceStatus #3
        NamespaceCondition: lastTransitionTime time #4, message string #6, reason string #5, status! string #2,
            type! string #1
        NamespaceSpec: finalizers [string] #1
        NamespaceStatus: conditions [NamespaceCondition] merge:type keys:type #2, phase string #1
        PortStatus: error string #3, port! int32 #1, protocol! string #2
        Secret: apiVersion string, data {bytes} #2, immutable bool? #5, kind string, metadata meta.ObjectMeta #1,
            stringData {string} #4, type string #3
        Service: apiVersion string, kind string, metadata meta.ObjectMeta #1, spec ServiceSpec #2, status
            ServiceStatus #3
        ServiceAccount: apiVersion string, automountServiceAccountToken bool? #4, imagePullSecrets
            [LocalObjectReference] #3, kind string, metadata meta.ObjectMeta #1, secrets [ObjectReference]
            merge:name keys:name #2
        ServicePort: appProtocol string? #6, name string #1, nodePort int32 #5, port! int32 #3, protocol string #2,
            targetPort intOrString #4
        ServiceSpec: allocateLoadBalancerNodePorts bool? #20, clusterIP string #3, clusterIPs [string] #18,
            externalIPs [string] #5, externalName string #10, externalTrafficPolicy string #11, healthCheckNodePort
            int32 #12, internalTrafficPolicy string #22, ipFamilies [string] #19, ipFamilyPolicy string #17,
            loadBalancerClass string #21, loadBalancerIP string #8, loadBalancerSourceRanges [string] #9, ports
            [ServicePort] merge:port keys:port+protocol #1, publishNotReadyAddresses bool #13, selector {string} #2,
            sessionAffinity string #7, sessionAffinityConfig SessionAffinityConfig #14, trafficDistribution string
            #23, type string #4
        ServiceStatus: conditions [meta.Condition] merge:type keys:type #2, loadBalancer LoadBalancerStatus #1
        SessionAffinityConfig: clientIP ClientIPConfig #1
        """
}
