extension SchemaTable {
    /// The types of the other objects of the core group.
    static let objects = """
        Binding: apiVersion string, kind string, metadata meta.ObjectMeta, target! ObjectReference
        ClientIPConfig: timeoutSeconds int32
        ConfigMap: apiVersion string, binaryData {bytes}, data {string}, immutable bool, kind string, metadata
            meta.ObjectMeta
        EndpointAddress: hostname string, ip! string, nodeName string, targetRef ObjectReference
        EndpointPort: appProtocol string?, name string?, port! int32, protocol string
        EndpointSubset: addresses [EndpointAddress], notReadyAddresses [EndpointAddress], ports [EndpointPort]
        Endpoints: apiVersion string, kind string, metadata meta.ObjectMeta, subsets [EndpointSubset]
        Event: action string, apiVersion string, count int32, eventTime microTime, firstTimestamp time,
            involvedObject! ObjectReference, kind string, lastTimestamp time, message string, metadata!
            meta.ObjectMeta, reason string, related ObjectReference, reportingComponent string, reportingInstance
            string, series EventSeries, source EventSource, type string
        EventSeries: count int32, lastObservedTime microTime
        EventSource: component string, host string
        LoadBalancerIngress: hostname string, ip string, ipMode string, ports [PortStatus]
        LoadBalancerStatus: ingress [LoadBalancerIngress]
        Namespace: apiVersion string, kind string, metadata meta.ObjectMeta, spec NamespaceSpec, status
            NamespaceStatus
        NamespaceCondition: lastTransitionTime time, message string, reason string, status! string, type! string
        NamespaceSpec: finalizers [string]
        NamespaceStatus: conditions [NamespaceCondition] merge:type keys:type, phase string
        PortStatus: error string, port! int32, protocol! string
        Secret: apiVersion string, data {bytes}, immutable bool, kind string, metadata meta.ObjectMeta, stringData
            {string}, type string
        Service: apiVersion string, kind string, metadata meta.ObjectMeta, spec ServiceSpec, status ServiceStatus
        ServiceAccount: apiVersion string, automountServiceAccountToken bool, imagePullSecrets
            [LocalObjectReference], kind string, metadata meta.ObjectMeta, secrets [ObjectReference] merge:name
            keys:name
        ServicePort: appProtocol string?, name string, nodePort int32, port! int32, protocol string, targetPort
            intOrString
        ServiceSpec: allocateLoadBalancerNodePorts bool, clusterIP string, clusterIPs [string], externalIPs
            [string], externalName string, externalTrafficPolicy string, healthCheckNodePort int32,
            internalTrafficPolicy string, ipFamilies [string], ipFamilyPolicy string, loadBalancerClass string,
            loadBalancerIP string, loadBalancerSourceRanges [string], ports [ServicePort] merge:port
            keys:port+protocol, publishNotReadyAddresses bool, selector {string}, sessionAffinity string,
            sessionAffinityConfig SessionAffinityConfig, trafficDistribution string, type string
        ServiceStatus: conditions [meta.Condition] merge:type keys:type, loadBalancer LoadBalancerStatus
        SessionAffinityConfig: clientIP ClientIPConfig
        """
}
