extension SchemaTable {
    /// The types of workloads.
    static let apps = """
        DaemonSet: apiVersion string, kind string, metadata meta.ObjectMeta, spec! DaemonSetSpec, status
            DaemonSetStatus
        DaemonSetCondition: lastTransitionTime time, message string, reason string, status string, type string
        DaemonSetSpec: minReadySeconds int32, revisionHistoryLimit int32, selector! meta.LabelSelector, template!
            core.PodTemplateSpec, updateStrategy DaemonSetUpdateStrategy
        DaemonSetStatus: collisionCount int32, conditions [DaemonSetCondition] merge:type keys:type,
            currentNumberScheduled! int32, desiredNumberScheduled! int32, numberAvailable int32, numberMisscheduled!
            int32, numberReady! int32, numberUnavailable int32, observedGeneration int64, updatedNumberScheduled
            int32
        DaemonSetUpdateStrategy: rollingUpdate RollingUpdateDaemonSet, type string
        Deployment: apiVersion string, kind string, metadata meta.ObjectMeta, spec! DeploymentSpec, status
            DeploymentStatus
        DeploymentCondition: lastTransitionTime time, lastUpdateTime time, message string, reason string, status
            string, type string
        DeploymentSpec: minReadySeconds int32, paused bool, progressDeadlineSeconds int32, replicas int32,
            revisionHistoryLimit int32, selector! meta.LabelSelector, strategy DeploymentStrategy retainKeys,
            template! core.PodTemplateSpec
        DeploymentStatus: availableReplicas int32, collisionCount int32, conditions [DeploymentCondition] merge:type
            keys:type, observedGeneration int64, readyReplicas int32, replicas int32, terminatingReplicas int32,
            unavailableReplicas int32, updatedReplicas int32
        DeploymentStrategy: rollingUpdate RollingUpdateDeployment, type string
        ReplicaSet: apiVersion string, kind string, metadata meta.ObjectMeta, spec! ReplicaSetSpec, status
            ReplicaSetStatus
        ReplicaSetCondition: lastTransitionTime time, message string, reason string, status string, type string
        ReplicaSetSpec: minReadySeconds int32, replicas int32, selector! meta.LabelSelector, template
            core.PodTemplateSpec
        ReplicaSetStatus: availableReplicas int32, conditions [ReplicaSetCondition] merge:type keys:type,
            fullyLabeledReplicas int32, observedGeneration int64, readyReplicas int32, replicas! int32,
            terminatingReplicas int32
        RollingUpdateDaemonSet: maxSurge intOrString, maxUnavailable intOrString
        RollingUpdateDeployment: maxSurge intOrString, maxUnavailable intOrString
        """
}
