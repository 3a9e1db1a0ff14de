/// Labels that several components give the same meaning.
public enum WellKnownLabel {
    /// On an EndpointSlice: name of its Service.
    public static let serviceName = "kubernetes.io/service-name"
    /// On an EndpointSlice: controller that writes it.
    public static let sliceManagedBy = "endpointslice.kubernetes.io/managed-by"
    /// On Endpoints: not to be mirrored into slices.
    public static let skipMirror = "endpointslice.kubernetes.io/skip-mirror"
    /// On slices and Endpoints of a headless Service.
    public static let headless = "service.kubernetes.io/headless"
    /// On a Service: proxy that handles it instead of the usual one.
    public static let serviceProxyName = "service.kubernetes.io/service-proxy-name"
    /// On a node: its zone.
    public static let zone = "topology.kubernetes.io/zone"
    /// On a node: its host name.
    public static let hostname = "kubernetes.io/hostname"
    /// On a pod: hash of the template that made it.
    public static let podTemplateHash = "pod-template-hash"
}
