extension SchemaTable {
    /// The types of nodes.
    static let nodes = """
        AttachedVolume: devicePath! string #2, name! string #1
        ConfigMapNodeConfigSource: kubeletConfigKey! string #5, name! string #2, namespace! string #1,
            resourceVersion string #4, uid string #3
        ContainerImage: names [string] #1, sizeBytes int64 #2
        DaemonEndpoint: Port! int32 #1
        Node: apiVersion string, kind string, metadata meta.ObjectMeta #1, spec NodeSpec #2, status NodeStatus #3
        NodeAddress: address! string #2, type! string #1
        NodeCondition: lastHeartbeatTime time #3, lastTransitionTime time #4, message string #6, reason string #5,
            status! string #2, type! string #1
        NodeConfigSource: configMap ConfigMapNodeConfigSource #2
        NodeConfigStatus: active NodeConfigSource #2, assigned NodeConfigSource #1, error string #4, lastKnownGood
            NodeConfigSource #3
        NodeDaemonEndpoints: kubeletEndpoint DaemonEndpoint #1
        NodeFeatures: supplementalGroupsPolicy bool? #1
        NodeRuntimeHandler: features NodeRuntimeHandlerFeatures #2, name string #1
        NodeRuntimeHandlerFeatures: recursiveReadOnlyMounts bool? #1, userNamespaces bool? #2
        NodeSpec: configSource NodeConfigSource #6, externalID string #2, podCIDR string #1, podCIDRs [string] merge
            set #7, providerID string #3, taints [Taint] #5, unschedulable bool #4
        NodeStatus: addresses [NodeAddress] merge:type keys:type #5, allocatable {quantity} #2, capacity {quantity}
            #1, conditions [NodeCondition] merge:type keys:type #4, config NodeConfigStatus #11, daemonEndpoints
            NodeDaemonEndpoints #6, features NodeFeatures #13, images [ContainerImage] #8, nodeInfo NodeSystemInfo
            #7, phase string #3, runtimeHandlers [NodeRuntimeHandler] #12, volumesAttached [AttachedVolume] #10,
            volumesInUse [string] #9
        NodeSwapStatus: capacity int64? #1
        NodeSystemInfo: architecture! string #10, bootID! string #3, containerRuntimeVersion! string #6,
            kernelVersion! string #4, kubeProxyVersion! string #8, kubeletVersion! string #7, machineID! string #1,
            operatingSystem! string #9, osImage! string #5, swap NodeSwapStatus #11, systemUUID! string #2
        Taint: effect! string #3, key! string #1, timeAdded time #4, value string #2
        """
}
