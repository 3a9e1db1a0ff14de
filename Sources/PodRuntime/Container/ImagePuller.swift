import CRI
import Foundation
import JSON
package import KubernetesAPI

/// Sees to it that images are present, by each container's policy.
package struct ImagePuller: Sendable {
    let runtime: CRIRuntime

    /// Creates a puller.
    package init(runtime: CRIRuntime) {
        self.runtime = runtime
    }

    /// What became of a request for an image.
    package struct Outcome: Sendable {
        /// Reference by which containers are made.
        package var reference: String
        /// Seconds that the pull took; nil when the image was there already.
        package var pullSeconds: Double?
    }

    /// The policy of a container: its own, or by its tag.
    package static func policy(of container: Container) -> String {
        if let policy = container.imagePullPolicy { return policy }
        let image = container.image ?? ""
        guard !image.contains("@") else { return "IfNotPresent" }
        let last = image.split(separator: "/").last ?? ""
        guard let colon = last.lastIndex(of: ":") else { return "Always" }
        return last[colon...] == ":latest" ? "Always" : "IfNotPresent"
    }

    /// Looks for the image of a container and fetches it if its policy wants that.
    ///
    /// - Parameters:
    ///   - secrets: registry credentials, to be tried in turn.
    ///   - willPull: called before a pull begins.
    /// - Throws: `ErrImagePull`, `ErrImageNeverPull` or `InvalidImageName`.
    package func ensure(
        _ container: Container, secrets: [Secret], willPull: @Sendable () -> Void
    ) async throws(PodActionFailure) -> Outcome {
        guard let image = container.image, !image.isEmpty else {
            throw PodActionFailure(
                reason: "InvalidImageName", message: "container \"\(container.name)\" names no image")
        }
        let policy = Self.policy(of: container)
        if policy != "Always" {
            do throws(RuntimeError) {
                if let found = try await runtime.image(image) {
                    return Outcome(reference: found.id, pullSeconds: nil)
                }
            } catch {
                throw PodActionFailure(reason: "ImageInspectError", message: "\(error)")
            }
            guard policy != "Never" else {
                throw PodActionFailure(
                    reason: "ErrImageNeverPull",
                    message: "Container image \"\(image)\" is not present with pull policy of Never")
            }
        }
        willPull()
        let start = ContinuousClock.now
        var last: RuntimeError?
        for credentials in Self.credentials(for: image, in: secrets).map(Optional.some) + [nil] {
            do throws(RuntimeError) {
                let reference = try await runtime.pull(image, credentials: credentials)
                return Outcome(reference: reference, pullSeconds: (ContinuousClock.now - start) / .seconds(1))
            } catch {
                last = error
            }
        }
        throw PodActionFailure(
            reason: "ErrImagePull", message: "failed to pull image \"\(image)\": \(last?.message ?? "")")
    }

    /// The credentials in `kubernetes.io/dockerconfigjson` Secrets for the registry of an image.
    private static func credentials(for image: String, in secrets: [Secret]) -> [Runtime_V1_AuthConfig] {
        let first = image.split(separator: "/").first.map(String.init) ?? ""
        let registry = first.contains(".") || first.contains(":") || first == "localhost" ? first : "docker.io"
        return secrets.flatMap { secret -> [Runtime_V1_AuthConfig] in
            guard let bytes = secret.bytes[".dockerconfigjson"], let json = try? JSONValue(parsing: bytes),
                let entries = json["auths"]?.object
            else { return [] }
            return entries.compactMap { host, entry in
                guard host.contains(registry) else { return nil }
                var result = Runtime_V1_AuthConfig()
                result.username = entry["username"]?.string ?? ""
                result.password = entry["password"]?.string ?? ""
                result.auth = entry["auth"]?.string ?? ""
                return result
            }
        }
    }
}
