import JSON
package import KubernetesAPI

/// A write as its admission sees it.
package struct AdmittedWrite: Sendable {
    /// What happens to the object.
    package enum Operation: String, Sendable {
        /// It is made.
        case create = "CREATE"
        /// It changes.
        case update = "UPDATE"
        /// It goes.
        case delete = "DELETE"
    }

    let operation: Operation
    let resource: Resource
    let key: ObjectKey
    var subresource: String?
    /// The object as it shall be; nil for a deletion.
    var new: JSONValue?
    /// The object as it is; nil for a creation.
    var old: JSONValue?
}

/// What a node may write: itself, its lease, and the status of pods that are bound to it (admission `NodeRestriction`).
enum NodeRestriction {
    private static let mirrorAnnotation = "kubernetes.io/config.mirror"

    /// Refuses a write that is not the node's to make.
    ///
    /// - Parameter node: Reads the node's own object.
    static func check(
        _ write: AdmittedWrite, by name: String, node: () -> JSONValue?
    ) throws(StatusError) {
        let cause: String?
        switch (write.resource, write.subresource) {
        case (.nodes, _): cause = nodeCause(write, name)
        case (.pods, nil): cause = podCause(write, name, node)
        case (.pods, "status"): cause = statusCause(write, name)
        case (.pods, let subresource?):
            cause = "unexpected pod subresource \"\(subresource)\", only 'status' and 'eviction' are allowed"
        case (.leases, _): cause = leaseCause(write, name)
        case (.nodeNetworks, _):
            cause =
                write.key.name == name
                ? nil : "node \"\(name)\" is not allowed to modify the network of node \"\(write.key.name)\""
        default: cause = nil
        }
        guard let cause else { return }
        throw .forbidden(write.resource, write.key.name, cause)
    }

    private static func nodeCause(_ write: AdmittedWrite, _ name: String) -> String? {
        guard write.key.name == name else {
            return "node \"\(name)\" is not allowed to modify node \"\(write.key.name)\""
        }
        guard let new = write.new else { return nil }
        let labels = forbiddenLabels(new.labels, write.old?.labels ?? [:])
        if write.operation == .create {
            return labels.isEmpty
                ? nil : "node \"\(name)\" is not allowed to set the following labels: \(labels.joined(separator: ", "))"
        }
        guard (new.at("spec", "taints") ?? []) == (write.old?.at("spec", "taints") ?? []) else {
            return "node \"\(name)\" is not allowed to modify taints"
        }
        return labels.isEmpty ? nil : "is not allowed to modify labels: \(labels.joined(separator: ", "))"
    }

    /// Changed labels by which a node could draw pods to itself.
    private static func forbiddenLabels(_ new: [String: String], _ old: [String: String]) -> [String] {
        Set(new.keys).union(old.keys).filter { key in
            guard new[key] != old[key], let slash = key.firstIndex(of: "/") else { return false }
            let domain = String(key[..<slash])
            if isOrBelow(domain, "node-restriction.kubernetes.io") { return true }
            guard isOrBelow(domain, "kubernetes.io") || isOrBelow(domain, "k8s.io") else { return false }
            let isOwn =
                allowedLabels.contains(key) || isOrBelow(domain, "kubelet.kubernetes.io")
                || isOrBelow(domain, "node.kubernetes.io")
            return !isOwn
        }.sorted()
    }

    private static let allowedLabels: Set<String> = [
        "kubernetes.io/hostname", "kubernetes.io/os", "kubernetes.io/arch", "topology.kubernetes.io/zone",
        "topology.kubernetes.io/region", "beta.kubernetes.io/os", "beta.kubernetes.io/arch",
        "beta.kubernetes.io/instance-type", "failure-domain.beta.kubernetes.io/zone",
        "failure-domain.beta.kubernetes.io/region",
    ]

    private static func isOrBelow(_ domain: String, _ parent: String) -> Bool {
        domain == parent || domain.hasSuffix("." + parent)
    }

    private static func podCause(_ write: AdmittedWrite, _ name: String, _ node: () -> JSONValue?) -> String? {
        switch write.operation {
        case .create: return mirrorCause(write.new ?? [:], name, node)
        case .delete:
            return write.old?.nodeName == name
                ? nil : "node \"\(name)\" can only delete pods with spec.nodeName set to itself"
        case .update:
            return "unexpected operation \"\(write.operation.rawValue)\", node \"\(name)\" can only create and delete "
                + "mirror pods"
        }
    }

    /// Why a node may not make this pod; it may only mirror pods that it runs without the API.
    private static func mirrorCause(_ pod: JSONValue, _ name: String, _ node: () -> JSONValue?) -> String? {
        guard pod.at("metadata", "annotations", mirrorAnnotation) != nil else {
            return "pod does not have \"\(mirrorAnnotation)\" annotation, node \"\(name)\" can only create mirror pods"
        }
        guard pod.nodeName == name else {
            return "node \"\(name)\" can only create pods with spec.nodeName set to itself"
        }
        let owners = pod.at("metadata", "ownerReferences")?.array ?? []
        guard owners.count <= 1 else {
            return "node \"\(name)\" can only create pods with a single owner reference set to itself"
        }
        guard let owner = owners.first, owner["apiVersion"] == "v1", owner["kind"] == "Node",
            owner["name"]?.string == name
        else { return "node \"\(name)\" can only create pods with an owner reference set to itself" }
        guard owner["controller"] == true else {
            return "node \"\(name)\" can only create pods with a controller owner reference set to itself"
        }
        guard owner["blockOwnerDeletion"] != true else {
            return "node \"\(name)\" must not set blockOwnerDeletion on an owner reference"
        }
        let uid = node()?.at("metadata", "uid")?.string ?? ""
        guard owner["uid"]?.string == uid else {
            return "node \(name) UID mismatch: expected \(owner["uid"]?.string ?? "") got \(uid)"
        }
        let references = PodReferences(pod: pod)
        if !references.serviceAccount.isEmpty {
            return "node \"\(name)\" can not create pods that reference a service account"
        }
        if !references.secrets.isEmpty { return "node \"\(name)\" can not create pods that reference secrets" }
        if !references.configMaps.isEmpty { return "node \"\(name)\" can not create pods that reference configmaps" }
        return nil
    }

    private static func statusCause(_ write: AdmittedWrite, _ name: String) -> String? {
        guard write.old?.nodeName == name else {
            return "node \"\(name)\" can only update pod status for pods with spec.nodeName set to itself"
        }
        guard write.new?.labels == write.old?.labels else {
            return "node \"\(name)\" cannot update labels through pod status"
        }
        return nil
    }

    private static func leaseCause(_ write: AdmittedWrite, _ name: String) -> String? {
        guard write.key.namespace == WellKnownNamespace.nodeLease else {
            return "can only access leases in the \"\(WellKnownNamespace.nodeLease)\" system namespace"
        }
        guard write.key.name == name else {
            return "can only access node lease with the same name as the requesting node"
        }
        return nil
    }
}

extension JSONValue {
    fileprivate var nodeName: String? { at("spec", "nodeName")?.string }

    fileprivate var labels: [String: String] {
        at("metadata", "labels")?.object?.reduce(into: [:]) { $0[$1.key] = $1.value.string } ?? [:]
    }
}

extension Requester {
    /// Refuses a write that is not the user's to make, whatever roles allow.
    package func admit(_ write: AdmittedWrite, _ lookup: ObjectLookup) throws(StatusError) {
        guard let node = user.nodeName, !user.isSuperuser else { return }
        try NodeRestriction.check(write, by: node) { lookup.object(.nodes, namespace: nil, name: node) }
    }
}
