import JSON

/// What Kubernetes adds to the specification of pods, in Pods and in templates (`pkg/apis/core/v1/defaults.go`).
enum PodDefaults {
    private static let fileMode: JSONValue = 420  // 0644
    private static let tokenLifetime: JSONValue = 3600

    /// Adds the defaults of a specification.
    static func apply(to spec: inout JSONValue) {
        spec.setDefault("restartPolicy", "Always")
        spec.setDefault("terminationGracePeriodSeconds", 30)
        spec.setDefault("dnsPolicy", "ClusterFirst")
        spec.setDefault("securityContext", [:])
        spec.setDefault("schedulerName", "default-scheduler")
        // The older of two names for one thing.
        if let account = spec["serviceAccountName"] ?? spec["serviceAccount"] {
            spec["serviceAccountName"] = account
            spec["serviceAccount"] = account
        }
        let isOnHost = spec["hostNetwork"] == true
        for list in ["initContainers", "containers", "ephemeralContainers"] {
            spec.updateEach(list) { apply(toContainer: &$0, isOnHost: isOnHost) }
        }
        spec.updateEach("volumes", apply(toVolume:))
    }

    private static func apply(toContainer container: inout JSONValue, isOnHost: Bool) {
        container.setDefault("resources", [:])
        container.setDefault("terminationMessagePath", "/dev/termination-log")
        container.setDefault("terminationMessagePolicy", "File")
        container.setDefault("imagePullPolicy", .string(pullPolicy(of: container.text("image"))))
        container.updateEach("ports") { port in
            port.setDefault("protocol", "TCP")
            if isOnHost, port["hostPort"] == nil || port["hostPort"] == 0 {
                port["hostPort"] = port["containerPort"]
            }
        }
        container.updateEach("env") { variable in
            variable.update("valueFrom") { $0.update("fieldRef") { $0.setDefault("apiVersion", "v1") } }
            variable.update("valueFrom") { $0.update("resourceFieldRef") { $0.setDefault("divisor", "0") } }
        }
        for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
            container.update(probe, apply(toProbe:))
        }
        container.update("lifecycle") { lifecycle in
            for moment in ["postStart", "preStop"] {
                lifecycle.update(moment) { $0.update("httpGet", apply(toRequest:)) }
            }
        }
        // What is limited is requested too, unless said otherwise.
        for (name, amount) in container.at("resources", "limits")?.object ?? [:]
        where container.at("resources", "requests", name) == nil {
            container.set(amount, at: "resources", "requests", name)
        }
    }

    /// Images without a tag, and those tagged `latest`, may have changed since they were pulled.
    private static func pullPolicy(of image: String) -> String {
        if image.contains("@") { return "IfNotPresent" }
        let last = image.split(separator: "/").last ?? ""
        guard let colon = last.firstIndex(of: ":") else { return "Always" }
        return last[last.index(after: colon)...] == "latest" ? "Always" : "IfNotPresent"
    }

    private static func apply(toProbe probe: inout JSONValue) {
        for (field, value) in [
            ("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3),
        ] where probe[field]?.int ?? 0 == 0 {
            probe[field] = .integer(Int64(value))
        }
        probe.update("httpGet", apply(toRequest:))
        probe.update("grpc") { $0.setDefault("service", "") }
    }

    private static func apply(toRequest request: inout JSONValue) {
        request.setDefault("path", "/")
        request.setDefault("scheme", "HTTP")
    }

    private static func apply(toVolume volume: inout JSONValue) {
        if volume.object?.count ?? 0 <= 1 {
            volume["emptyDir"] = [:]
        }
        for source in ["secret", "configMap", "downwardAPI", "projected"] {
            volume.update(source) { $0.setDefault("defaultMode", fileMode) }
        }
        volume.update("hostPath") { $0.setDefault("type", "") }
        volume.update("downwardAPI", apply(toDownwardAPI:))
        volume.update("projected") { projected in
            projected.updateEach("sources") { source in
                source.update("downwardAPI", apply(toDownwardAPI:))
                source.update("serviceAccountToken") { $0.setDefault("expirationSeconds", tokenLifetime) }
            }
        }
    }

    private static func apply(toDownwardAPI source: inout JSONValue) {
        source.updateEach("items") { item in
            item.update("fieldRef") { $0.setDefault("apiVersion", "v1") }
        }
    }
}
