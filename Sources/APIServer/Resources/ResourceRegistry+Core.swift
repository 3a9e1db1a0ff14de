import JSON
import KubernetesAPI

extension ResourceRegistry {
    static func namespaces(_ strategy: any ResourceStrategy) -> ResourceDefinition {
        let columns: [TableColumn] = [
            .name,
            TableColumn("Status", "The status of the namespace.") { $0.at("status", "phase")?.string ?? "" },
            .age,
        ]
        return ResourceDefinition(.namespaces, shortNames: ["ns"], columns: columns, strategy: strategy) {
            $0.verbs = ResourceDefinition.Verb.allCases.filter { $0 != .deletecollection }
            $0.subresources = [
                .init(name: "finalize", kind: "Namespace", verbs: [.update]), .status(of: "Namespace"),
            ]
            $0.fields.append(SelectableField("status.phase"))
            $0.isHeldBySpecification = true
            $0.allocatedFields = [["spec", "finalizers"]]
            $0.markTerminating = { $0.set("Terminating", at: "status", "phase") }
        }
    }

    static func nodes(_ strategy: any ResourceStrategy) -> ResourceDefinition {
        ResourceDefinition(.nodes, shortNames: ["no"], columns: NodeColumns.all, strategy: strategy) {
            $0.subresources = [
                .proxy(of: "Node"), .status(of: "Node"),
            ]
            $0.fields.append(SelectableField("spec.unschedulable", absent: "false"))
        }
    }

    static func pods(_ strategy: any ResourceStrategy) -> ResourceDefinition {
        ResourceDefinition(.pods, shortNames: ["po"], columns: PodColumns.all, strategy: strategy) {
            $0.categories = ["all"]
            $0.subresources = [
                .init(name: "attach", kind: "PodAttachOptions", verbs: [.create, .get]),
                .init(name: "binding", kind: "Binding", verbs: [.create]),
                .init(
                    name: "eviction", kind: "Eviction", groupVersion: (group: "policy", version: "v1"),
                    verbs: [.create]),
                .init(name: "ephemeralcontainers", kind: "Pod", verbs: [.get, .patch, .update]),
                .init(name: "exec", kind: "PodExecOptions", verbs: [.create, .get]),
                .init(name: "log", kind: "Pod", verbs: [.get]),
                .init(name: "portforward", kind: "PodPortForwardOptions", verbs: [.create, .get]),
                .proxy(of: "Pod"), .init(name: PodResize.subresource, kind: "Pod", verbs: [.get, .patch, .update]),
                .status(of: "Pod"),
            ]
            $0.fields += [
                "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
                "status.phase", "status.podIP", "status.nominatedNodeName",
            ].map { SelectableField($0) }
            $0.fields.append(SelectableField("spec.hostNetwork", absent: "false"))
            $0.fields.append(
                SelectableField("status.podIPs", reading: ["status.podIPs"]) { pod in
                    (pod.at("status", "podIPs")?.array ?? []).compactMap { $0["ip"]?.string }.joined(separator: ",")
                })
            $0.returnsDeletedObject = true
            $0.countsGenerations = true
            $0.gracePeriod = gracePeriod
            let fields = [
                "priority", "preemptionPolicy", "serviceAccount", "serviceAccountName", "tolerations", "volumes",
            ]
            $0.allocatedFields = fields.map { ["spec", $0] } + [["spec", "volumes", "*"]]
            for containers in ["containers", "initContainers"] {
                let mounts = ["spec", containers, "*", "volumeMounts"]
                $0.allocatedFields += [mounts, mounts + ["*"]]
            }
        }
    }

    /// Assignments of pods to nodes, which are made and not kept.
    static let bindings = ResourceDefinition(.bindings, columns: [.name, .age], strategy: PlainStrategy()) {
        $0.verbs = [.create]
    }

    /// Seconds that a pod gets to end; none when no node runs it.
    private static let gracePeriod: @Sendable (JSONValue) -> Int? = { pod in
        guard pod.at("spec", "nodeName")?.string ?? "" != "",
            !["Succeeded", "Failed"].contains(pod.at("status", "phase")?.string)
        else { return nil }
        return pod.at("spec", "terminationGracePeriodSeconds")?.int ?? 30
    }

    static func services(_ strategy: any ResourceStrategy) -> ResourceDefinition {
        ResourceDefinition(.services, shortNames: ["svc"], columns: ServiceColumns.all, strategy: strategy) {
            $0.categories = ["all"]
            $0.subresources = [.proxy(of: "Service"), .status(of: "Service")]
            $0.returnsDeletedObject = true
            $0.isCreatedByUpdate = true
            $0.fields += [SelectableField("spec.clusterIP"), SelectableField("spec.type")]
            let fields = ["clusterIP", "clusterIPs", "healthCheckNodePort", "ipFamilies", "ipFamilyPolicy"]
            $0.allocatedFields = fields.map { ["spec", $0] } + [["spec", "ports", "*", "nodePort"]]
        }
    }

    static func endpoints(_ strategy: any ResourceStrategy) -> ResourceDefinition {
        ResourceDefinition(
            .endpoints, shortNames: ["ep"], columns: [.name, EndpointColumns.endpoints, .age], strategy: strategy
        ) { $0.isCreatedByUpdate = true }
    }

    static func configMaps(_ strategy: any ResourceStrategy) -> ResourceDefinition {
        let columns: [TableColumn] = [
            .name,
            .number("Data", "Number of entries.") {
                ($0["data"]?.object?.count ?? 0) + ($0["binaryData"]?.object?.count ?? 0)
            },
            .age,
        ]
        return ResourceDefinition(.configMaps, shortNames: ["cm"], columns: columns, strategy: strategy)
    }

    static func secrets(_ strategy: any ResourceStrategy) -> ResourceDefinition {
        let columns: [TableColumn] = [
            .name, TableColumn("Type", "What the secret is for.") { $0["type"]?.string ?? "" },
            .number("Data", "Number of entries.") { $0["data"]?.object?.count ?? 0 }, .age,
        ]
        return ResourceDefinition(.secrets, columns: columns, strategy: strategy) {
            $0.fields.append(SelectableField("type"))
        }
    }

    static func serviceAccounts(_ strategy: any ResourceStrategy) -> ResourceDefinition {
        let columns: [TableColumn] = [
            .name, .number("Secrets", "Number of secrets.") { $0["secrets"]?.array?.count ?? 0 }, .age,
        ]
        return ResourceDefinition(.serviceAccounts, shortNames: ["sa"], columns: columns, strategy: strategy) {
            $0.returnsDeletedObject = true
            $0.subresources = [
                .init(
                    name: "token", kind: "TokenRequest", groupVersion: (group: "authentication.k8s.io", version: "v1"),
                    verbs: [.create])
            ]
        }
    }
}
