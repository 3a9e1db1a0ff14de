package import KubernetesAPI

// A node holds every Service and slice of the cluster: of each it keeps what routes, Services and names are made of.

extension ObjectMeta {
    /// The identity, and those of the labels and annotations that a node reads.
    ///
    /// Keys become the constants that they equal, which take no memory.
    fileprivate func trimmed(labels kept: [String], annotations: (String) -> Bool = { _ in false }) -> ObjectMeta {
        var result = ObjectMeta(name: name, namespace: namespace, uid: uid, resourceVersion: resourceVersion)
        for key in kept {
            if let value = labels?[key] { result.labels = (result.labels ?? [:]).merging([key: value]) { $1 } }
        }
        let read = self.annotations?.filter { annotations($0.key) } ?? [:]
        if !read.isEmpty { result.annotations = read }
        return result
    }
}

extension Service {
    /// Takes out what no part of an agent reads.
    package mutating func trimForNode() {
        metadata = metadata.trimmed(labels: [WellKnownLabel.serviceProxyName, WellKnownLabel.headless]) { key in
            // Duet's own, and the one that publishes endpoints which are not ready.
            key.hasPrefix("network.duet.dev/") || key == "service.alpha.kubernetes.io/tolerate-unready-endpoints"
        }
        spec?.selector = nil
        spec?.loadBalancerClass = nil
        if spec?.sessionAffinity != "ClientIP" { spec?.sessionAffinityConfig = nil }
        for index in (spec?.ports ?? []).indices {
            spec?.ports?[index].targetPort = nil
            spec?.ports?[index].appProtocol = nil
        }
        if status?.loadBalancer?.ingress?.isEmpty != false { status = nil }
    }
}

extension EndpointSlice {
    /// Takes out what no part of an agent reads.
    package mutating func trimForNode() {
        metadata = metadata.trimmed(
            labels: [WellKnownLabel.serviceName, WellKnownLabel.translatedServiceName, WellKnownLabel.headless])
        for index in (endpoints ?? []).indices {
            endpoints?[index].deprecatedTopology = nil
            endpoints?[index].zone = nil
            // Names are made of its kind and name; a pod that slices of both families hold is known by its UID.
            if let target = endpoints?[index].targetRef {
                endpoints?[index].targetRef = ObjectReference(kind: target.kind, name: target.name, uid: target.uid)
            }
        }
    }
}
