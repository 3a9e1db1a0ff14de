import JSON
import KubernetesAPI
import KubernetesClient

/// Brings all volumes of a pod up to date with the API's objects.
struct VolumePreparation: Sendable {
    private static let usualSeconds = 3600

    let context: PodContext
    let pod: Pod

    /// Makes or updates the volumes.
    ///
    /// - Parameter version: a number not used for this pod before.
    func prepare(version: Int) async throws(PodActionFailure) {
        let volumes = pod.spec?.volumes ?? []
        let onDisk = PodVolumes(directories: context.directories(of: pod))
        let downward = DownwardAPI(pod: pod, nodeAllocatable: context.nodeAllocatable)
        let now = Timestamp.now
        var current = ""
        do {
            let sources = try await context.sources(
                ConfigurationReferences(volumes: volumes), namespace: pod.namespace)
            for volume in volumes {
                current = volume.name
                let content = try VolumeContent(
                    volume, pod: downward, sources: sources, tokens: try await tokens(volume))
                try onDisk.prepare(volume, content: content, version: "\(now.seconds)_\(now.nanoseconds)_\(version)")
            }
        } catch {
            let cause = (error as? PodActionFailure)?.message ?? "\(error)"
            let message = "MountVolume.SetUp failed for volume \"\(current)\" : \(cause)"
            PodReporter(pod: pod, events: context.events).report("FailedMount", message, isWarning: true)
            throw PodActionFailure(reason: "FailedMount", message: message)
        }
    }

    /// True when a volume's files come from objects that may change.
    static func mayChange(_ pod: Pod) -> Bool {
        (pod.spec?.volumes ?? []).contains {
            $0.configMap != nil || $0.secret != nil || $0.downwardAPI != nil || $0.projected != nil
        }
    }

    /// Tokens of the pod's service account, by the path that a projection wants them at.
    private func tokens(_ volume: Volume) async throws -> [String: String] {
        var tokens: [String: String] = [:]
        for source in volume.projected?.sources ?? [] {
            guard let wanted = source.serviceAccountToken else { continue }
            var request: JSONValue = ["apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"]
            request.set(.integer(Int64(wanted.expirationSeconds ?? Self.usualSeconds)), at: "spec", "expirationSeconds")
            if let audience = wanted.audience {
                request.set([.string(audience)], at: "spec", "audiences")
            }
            request.set(
                [
                    "apiVersion": "v1", "kind": "Pod", "name": .string(pod.name),
                    "uid": .string(pod.metadata.uid ?? ""),
                ], at: "spec", "boundObjectRef")
            let body = request
            let account = pod.spec?.serviceAccountName ?? "default"
            let path = Resource.serviceAccounts.path(namespace: pod.namespace, name: account, subresource: "token")
            let key = TokenCache.Key(
                pod: pod.metadata.uid ?? "", audience: wanted.audience ?? "",
                seconds: wanted.expirationSeconds ?? Self.usualSeconds)
            tokens[wanted.path] = try await context.tokens.token(key, at: .now) {
                try await issue(body, path)
            }
        }
        return tokens
    }

    private func issue(_ request: JSONValue, _ path: String) async throws -> TokenCache.Entry {
        let answer = try await context.client.request(.post, path: path, body: request)
        guard let token = answer.at("status", "token")?.string,
            let expires = answer.at("status", "expirationTimestamp")?.string.flatMap(Timestamp.init)
        else { throw PodActionFailure(reason: "FailedMount", message: "the API server issued no token") }
        return TokenCache.Entry(token: token, expires: expires, at: .now)
    }
}
