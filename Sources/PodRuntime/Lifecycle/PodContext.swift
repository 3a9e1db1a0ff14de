import Addresses
import AsyncHTTPClient
import KubernetesAPI
import KubernetesClient
import Logging

/// What all pods of a node share.
struct PodContext: Sendable {
    let configuration: NodeConfiguration
    /// Addresses of the node, primary first.
    let nodeAddresses: [IPAddress]
    let nodeAllocatable: [String: Quantity]
    let client: KubernetesClient
    let services: InformerStore<Service>
    let runtime: CRIRuntime
    let networks: NetworkCollector
    let images: ImagePuller
    let events: EventRecorder
    let tokens: TokenCache
    /// For probes and hooks: trusts any certificate.
    let http: HTTPClient
    let logger: Logger

    /// Addresses of the cluster's DNS Service.
    var clusterDNS: [String] {
        services.get("kube-system", "kube-dns")?.spec?.clusterIPs ?? []
    }

    func directories(of pod: Pod) -> PodDirectories {
        PodDirectories(
            pod: pod, rootDirectory: configuration.rootDirectory, logDirectory: configuration.logDirectory)
    }

    /// The ConfigMaps and Secrets referred to that exist.
    func sources(
        _ references: ConfigurationReferences, namespace: String
    ) async throws -> ConfigurationSources {
        var sources = ConfigurationSources()
        for name in references.configMaps {
            sources.configMaps[name] = try await find(ConfigMap.self, namespace, name)?.bytes
        }
        for name in references.secrets {
            sources.secrets[name] = try await find(Secret.self, namespace, name)?.bytes
        }
        return sources
    }

    /// An object, nil when there is none.
    func find<T: KubernetesObject>(_ type: T.Type, _ namespace: String, _ name: String) async throws -> T? {
        do {
            return try await client.get(type, namespace: namespace, name: name)
        } catch let error as StatusError where error.code == 404 {
            return nil
        }
    }
}
