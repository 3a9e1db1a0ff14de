extension SchemaTable {
    /// The types of workloads.
    static let apps = """
        DaemonSet: apiVersion string, kind string, metadata meta.ObjectMeta #1, spec! DaemonSetSpec #2, status
            DaemonSetStatus #3
        DaemonSetCondition: lastTransitionTime time #3, message string #5, reason string #4, status string #2, type
            string #1
        DaemonSetSpec: minReadySeconds int32 #4, revisionHistoryLimit int32? #6, selector! meta.LabelSelector #1,
            template! core.PodTemplateSpec #2, updateStrategy DaemonSetUpdateStrategy #3
        DaemonSetStatus: collisionCount int32? #9, conditions [DaemonSetCondition] merge:type keys:type #10,
            currentNumberScheduled! int32 #1, desiredNumberScheduled! int32 #3, numberAvailable int32 #7,
            numberMisscheduled! int32 #2, numberReady! int32 #4, numberUnavailable int32 #8, observedGeneration
            int64 #5, updatedNumberScheduled int32 #6
        DaemonSetUpdateStrategy: rollingUpdate RollingUpdateDaemonSet #2, type string #1
        Deployment: apiVersion string, kind string, metadata meta.ObjectMeta #1, spec! DeploymentSpec #2, status
            DeploymentStatus #3
        DeploymentCondition: lastTransitionTime time #7, lastUpdateTime time #6, message string #5, reason string
            #4, status string #2, type string #1
        DeploymentSpec: minReadySeconds int32 #5, paused bool #7, progressDeadlineSeconds int32? #9, replicas int32?
            #1, revisionHistoryLimit int32? #6, selector! meta.LabelSelector #2, strategy DeploymentStrategy
            retainKeys #4, template! core.PodTemplateSpec #3
        DeploymentStatus: availableReplicas int32 #4, collisionCount int32? #8, conditions [DeploymentCondition]
            merge:type keys:type #6, observedGeneration int64 #1, readyReplicas int32 #7, replicas int32 #2,
            terminatingReplicas int32? #9, unavailableReplicas int32 #5, updatedReplicas int32 #3
        DeploymentStrategy: rollingUpdate RollingUpdateDeployment #2, type string #1
        ReplicaSet: apiVersion string, kind string, metadata meta.ObjectMeta #1, spec! ReplicaSetSpec #2, status
            ReplicaSetStatus #3
        ReplicaSetCondition: lastTransitionTime time #3, message string #5, reason string #4, status string #2, type
            string #1
        ReplicaSetSpec: minReadySeconds int32 #4, replicas int32? #1, selector! meta.LabelSelector #2, template
            core.PodTemplateSpec #3
        ReplicaSetStatus: availableReplicas int32 #5, conditions [ReplicaSetCondition] merge:type keys:type #6,
            fullyLabeledReplicas int32 #2, observedGeneration int64 #3, readyReplicas int32 #4, replicas! int32 #1,
            terminatingReplicas int32? #7
        RollingUpdateDaemonSet: maxSurge intOrString #2, maxUnavailable intOrString #1
        RollingUpdateDeployment: maxSurge intOrString #2, maxUnavailable intOrString #1
        """
}
