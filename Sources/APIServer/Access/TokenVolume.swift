import JSON
import KubernetesAPI

/// Gives a new pod its service account, and the token by which it reaches the API (admission `ServiceAccount`).
enum TokenVolume {
    private static let mountPath = "/var/run/secrets/kubernetes.io/serviceaccount"
    private static let prefix = "kube-api-access-"
    /// The account of pods that name none, which a controller makes in every namespace.
    static let defaultAccount = "default"
    private static let mirrorAnnotation = "kubernetes.io/config.mirror"

    /// Adds the account's name, its pull secrets, the volume and the mounts that the pod lacks.
    static func prepare(_ pod: inout JSONValue, _ lookup: ObjectLookup) throws(StatusError) {
        // Such a pod runs without the API, which it only shows.
        guard pod.at("metadata", "annotations", mirrorAnnotation) == nil else { return }
        var spec = pod["spec"] ?? [:]
        guard spec.object != nil else { return }
        let name = accountName(of: spec)
        spec["serviceAccountName"] = .string(name)
        spec["serviceAccount"] = .string(name)
        let namespace = pod.at("metadata", "namespace")?.string ?? ""
        guard let account = lookup.object(.serviceAccounts, namespace: namespace, name: name) else {
            throw .forbidden(
                .pods, pod.at("metadata", "name")?.string ?? "",
                "error looking up service account \(namespace)/\(name): serviceaccount \"\(name)\" not found")
        }
        let secrets = account.list("imagePullSecrets")
        if spec.list("imagePullSecrets").isEmpty, !secrets.isEmpty {
            spec["imagePullSecrets"] = .array(secrets)
        }
        let isWanted = spec["automountServiceAccountToken"]?.bool ?? account["automountServiceAccountToken"]?.bool
        if isWanted ?? true { mount(&spec) }
        pod["spec"] = spec
    }

    /// The name of the account that a pod asks for, by the field of today or the one of old.
    static func accountName(of spec: JSONValue) -> String {
        ["serviceAccountName", "serviceAccount"].map(spec.text).first { !$0.isEmpty } ?? defaultAccount
    }

    private static func mount(_ spec: inout JSONValue) {
        let present = spec.list("volumes").first { $0.text("name").hasPrefix(prefix) && $0["projected"] != nil }
        let name = present?["name"] ?? .string(GeneratedName.make(prefix))
        var isMounted = false
        for list in ["initContainers", "containers"] {
            spec.updateEach(list) { container in
                let mounts = container.list("volumeMounts")
                guard !mounts.contains(where: { $0.text("mountPath") == mountPath }) else { return }
                isMounted = true
                container["volumeMounts"] = .array(
                    mounts + [["name": name, "readOnly": true, "mountPath": .string(mountPath)]])
            }
        }
        guard isMounted, present == nil else { return }
        spec["volumes"] = .array(spec.list("volumes") + [["name": name, "projected": projection]])
    }

    private static let projection: JSONValue = [
        "defaultMode": 420,
        "sources": [
            // A little more than an hour tells these tokens from those that somebody asked for.
            ["serviceAccountToken": ["expirationSeconds": 3607, "path": "token"]],
            ["configMap": ["name": "kube-root-ca.crt", "items": [["key": "ca.crt", "path": "ca.crt"]]]],
            [
                "downwardAPI": [
                    "items": [
                        ["path": "namespace", "fieldRef": ["apiVersion": "v1", "fieldPath": "metadata.namespace"]]
                    ]
                ]
            ],
        ],
    ]
}
