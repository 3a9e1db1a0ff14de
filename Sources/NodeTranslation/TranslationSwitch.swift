internal import KubernetesAPI

/// What an annotation says of translation, or of a CLAT.
package enum TranslationSwitch: String, Hashable, Sendable {
    /// Pods are translated for, or have one.
    case enabled
    /// They are not, or have none.
    case disabled

    /// The annotation of pods, namespaces and nodes by which pods are translated for, or not.
    package static let translationAnnotation = "network.duet.dev/nat64"
    /// The annotation of pods, namespaces and nodes by which pods have a CLAT (RFC 6877), for software that knows IPv4 alone.
    package static let clatAnnotation = "network.duet.dev/clat"

    /// What an object says; nil when it says nothing, or something else.
    init?(_ metadata: ObjectMeta, _ annotation: String) {
        guard let text = metadata.annotations?[annotation], let value = TranslationSwitch(rawValue: text) else {
            return nil
        }
        self = value
    }
}
