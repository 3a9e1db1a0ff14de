import JSON
import KubernetesAPI

extension ResourceRegistry {
    /// Custom resources, of which there are none: clients ask for them when they meet a kind that cannot be patched.
    static let customResourceDefinitions = ResourceDefinition(
        Resource(
            group: "apiextensions.k8s.io", version: "v1", plural: "customresourcedefinitions",
            kind: "CustomResourceDefinition", isNamespaced: false),
        shortNames: ["crd", "crds"], columns: [.name, created], strategy: PlainStrategy()
    ) { $0.verbs = [.get, .list, .watch] }
}
