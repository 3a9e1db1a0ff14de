package import KubernetesAPI

/// The ConfigMaps and Secrets that a pod refers to, as they are now.
package struct ConfigurationSources: Sendable, Hashable {
    /// Keys and bytes of each ConfigMap that exists.
    package var configMaps: [String: [String: [UInt8]]]
    /// Keys and bytes of each Secret that exists.
    package var secrets: [String: [String: [UInt8]]]

    /// Creates a set of sources.
    package init(configMaps: [String: [String: [UInt8]]] = [:], secrets: [String: [String: [UInt8]]] = [:]) {
        self.configMaps = configMaps
        self.secrets = secrets
    }
}

/// Names of the ConfigMaps and Secrets that something refers to.
package struct ConfigurationReferences: Sendable, Hashable {
    /// Names of ConfigMaps.
    package var configMaps: Set<String> = []
    /// Names of Secrets.
    package var secrets: Set<String> = []

    /// True when nothing is referred to.
    package var isEmpty: Bool { configMaps.isEmpty && secrets.isEmpty }

    /// What the environment of a container refers to.
    package init(environmentOf container: Container) {
        for source in container.envFrom ?? [] {
            if let name = source.configMapRef?.name { configMaps.insert(name) }
            if let name = source.secretRef?.name { secrets.insert(name) }
        }
        for variable in container.env ?? [] {
            if let name = variable.valueFrom?.configMapKeyRef?.name { configMaps.insert(name) }
            if let name = variable.valueFrom?.secretKeyRef?.name { secrets.insert(name) }
        }
    }

    /// What volumes refer to.
    package init(volumes: [Volume]) {
        for volume in volumes {
            if let name = volume.configMap?.name { configMaps.insert(name) }
            if let name = volume.secret?.secretName { secrets.insert(name) }
            for source in volume.projected?.sources ?? [] {
                if let name = source.configMap?.name { configMaps.insert(name) }
                if let name = source.secret?.name { secrets.insert(name) }
            }
        }
    }
}
