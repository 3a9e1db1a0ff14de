extension SchemaTable {
    /// The types of nodes.
    static let nodes = """
        AttachedVolume: devicePath! string, name! string
        ConfigMapNodeConfigSource: kubeletConfigKey! string, name! string, namespace! string, resourceVersion
            string, uid string
        ContainerImage: names [string], sizeBytes int64
        DaemonEndpoint: Port! int32
        Node: apiVersion string, kind string, metadata meta.ObjectMeta, spec NodeSpec, status NodeStatus
        NodeAddress: address! string, type! string
        NodeCondition: lastHeartbeatTime time, lastTransitionTime time, message string, reason string, status!
            string, type! string
        NodeConfigSource: configMap ConfigMapNodeConfigSource
        NodeConfigStatus: active NodeConfigSource, assigned NodeConfigSource, error string, lastKnownGood
            NodeConfigSource
        NodeDaemonEndpoints: kubeletEndpoint DaemonEndpoint
        NodeFeatures: supplementalGroupsPolicy bool
        NodeRuntimeHandler: features NodeRuntimeHandlerFeatures, name string
        NodeRuntimeHandlerFeatures: recursiveReadOnlyMounts bool, userNamespaces bool
        NodeSpec: configSource NodeConfigSource, externalID string, podCIDR string, podCIDRs [string] merge set,
            providerID string, taints [Taint], unschedulable bool
        NodeStatus: addresses [NodeAddress] merge:type keys:type, allocatable {quantity}, capacity {quantity},
            conditions [NodeCondition] merge:type keys:type, config NodeConfigStatus, daemonEndpoints
            NodeDaemonEndpoints, features NodeFeatures, images [ContainerImage], nodeInfo NodeSystemInfo, phase
            string, runtimeHandlers [NodeRuntimeHandler], volumesAttached [AttachedVolume], volumesInUse [string]
        NodeSwapStatus: capacity int64
        NodeSystemInfo: architecture! string, bootID! string, containerRuntimeVersion! string, kernelVersion!
            string, kubeProxyVersion! string, kubeletVersion! string, machineID! string, operatingSystem! string,
            osImage! string, swap NodeSwapStatus, systemUUID! string
        Taint: effect! string, key! string, timeAdded time, value string
        """
}
