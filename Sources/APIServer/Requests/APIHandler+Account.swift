import JSON
import KubernetesAPI

extension APIHandler {
    /// How long a pod waits for the account of a new namespace; Kubernetes' server waits about as long.
    private static let accountPatience = Duration.milliseconds(1500)

    /// Waits a moment for the `default` account of a namespace that a pod needs and does not find yet.
    ///
    /// Who makes a namespace and a pod in one go then has both; without the account the write is refused.
    func awaitAccount(of pod: JSONValue, _ call: Call) async throws {
        guard call.resource == .pods, TokenVolume.accountName(of: pod["spec"] ?? [:]) == TokenVolume.defaultAccount,
            let accounts = store.index(of: .serviceAccounts), let namespaces = store.index(of: .namespaces)
        else { return }
        let namespace = call.key.namespace
        let key = ObjectKey(namespace: namespace, name: TokenVolume.defaultAccount)
        let end = ContinuousClock.now + Self.accountPatience
        while store.object(accounts, key) == nil, store.object(namespaces, ObjectKey(name: namespace)) != nil,
            ContinuousClock.now < end
        {
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}
