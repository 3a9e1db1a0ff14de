import Foundation
import HTTPTypes
import HummingbirdCore
import JSON
import KubernetesAPI

/// A request for a token of a service account.
struct TokenRequest: Sendable {
    static let resource = Resource(
        group: "authentication.k8s.io", version: "v1", plural: "tokenrequests", kind: "TokenRequest", isNamespaced: true
    )

    private static let shortest = 600
    private static let longest = 1 << 32
    private static let usual = 3600

    /// For whom the token shall be.
    let audiences: [String]
    /// How long it shall be good.
    let seconds: Int
    /// What it shall be bound to; nil for the account alone.
    let reference: JSONValue?

    /// Reads the body of a request.
    init(_ body: JSONValue) throws(StatusError) {
        let spec = body["spec"] ?? [:]
        let wanted = spec["audiences"]?.array?.compactMap(\.string) ?? []
        audiences = wanted.isEmpty ? [ServiceAccountTokens.issuer] : wanted
        seconds = spec["expirationSeconds"]?.int ?? Self.usual
        reference = spec["boundObjectRef"].flatMap { $0.isNull ? nil : $0 }
        let path: FieldPath = "spec.expirationSeconds"
        let value = JSONValue.integer(Int64(seconds))
        var errors: [FieldError] = []
        if seconds < Self.shortest {
            errors.append(.invalid(path, value, "may not specify a duration less than 10 minutes"))
        }
        if seconds > Self.longest {
            errors.append(.invalid(path, value, "may not specify a duration larger than 2^32 seconds"))
        }
        guard errors.isEmpty else {
            throw .invalid(kind: "TokenRequest", group: Self.resource.group, name: "", causes: errors)
        }
    }

    /// What the token will say.
    ///
    /// - Parameter lookup: Finds objects of the account's namespace and nodes.
    func claims(
        for account: JSONValue, _ key: ObjectKey, at now: Timestamp, _ lookup: (Resource, String) -> JSONValue?
    ) throws(StatusError) -> JSONValue {
        let name = ServiceAccountName(namespace: key.namespace, name: key.name)
        var own: JSONValue = [
            "namespace": .string(key.namespace),
            "serviceaccount": ["name": .string(key.name), "uid": account.at("metadata", "uid") ?? ""],
        ]
        if let reference {
            let (kind, object) = try bound(reference, key, lookup)
            own[kind] = ["name": object.at("metadata", "name") ?? "", "uid": object.at("metadata", "uid") ?? ""]
            if kind == "pod", let node = object.at("spec", "nodeName")?.string, !node.isEmpty {
                own["node"] = ["name": .string(node)]
                if let uid = lookup(.nodes, node)?.at("metadata", "uid") { own.set(uid, at: "node", "uid") }
            }
        }
        return [
            "aud": .array(audiences.map { .string($0) }), "exp": .integer(now.seconds + Int64(seconds)),
            "iat": .integer(now.seconds), "iss": .string(ServiceAccountTokens.issuer),
            "jti": .string(RandomNames.uuid()), "kubernetes.io": own, "nbf": .integer(now.seconds),
            "sub": .string(name.userName),
        ]
    }

    private func bound(
        _ reference: JSONValue, _ key: ObjectKey, _ lookup: (Resource, String) -> JSONValue?
    ) throws(StatusError) -> (String, JSONValue) {
        let kinds: [String: (String, Resource)] = [
            "Pod": ("pod", .pods), "Secret": ("secret", .secrets), "Node": ("node", .nodes),
        ]
        let name = reference["name"]?.string ?? ""
        let kind = reference["kind"]?.string ?? ""
        guard let (claim, resource) = kinds[kind], reference["apiVersion"] == "v1" else {
            let version = reference["apiVersion"]?.string ?? ""
            throw .badRequest(
                "cannot bind token for serviceaccount \"\(key.name)\" to type \"\(version), Kind=\(kind)\"")
        }
        guard let object = lookup(resource, name) else { throw .notFound(resource, name) }
        if resource == .pods, object.at("spec", "serviceAccountName")?.string != key.name {
            throw .badRequest(
                "cannot bind token for serviceaccount \"\(key.name)\" to pod running with different serviceaccount name."
            )
        }
        if let uid = reference["uid"]?.string, !uid.isEmpty, uid != object.at("metadata", "uid")?.string {
            throw .conflict(
                resource, name,
                "the UID in the bound object reference (\(uid)) does not match the UID in record. The object might have "
                    + "been deleted and then recreated")
        }
        return (claim, object)
    }

    /// Refuses a node that asks for a token which is not of a pod that it runs.
    func admit(_ node: String, _ key: ObjectKey, _ lookup: (Resource, String) -> JSONValue?) throws(StatusError) {
        func refuse(_ cause: String) -> StatusError { .forbidden(.serviceAccounts, key.name, cause) }
        guard let reference, reference["apiVersion"] == "v1", reference["kind"] == "Pod",
            let name = reference["name"]?.string, !name.isEmpty
        else { throw refuse("node requested token not bound to a pod") }
        guard let uid = reference["uid"]?.string, !uid.isEmpty else {
            throw refuse("node requested token with a pod binding without a uid")
        }
        guard let pod = lookup(.pods, name) else { throw .notFound(.pods, name) }
        guard pod.at("metadata", "uid")?.string == uid else {
            throw refuse(
                "the UID in the bound object reference (\(uid)) does not match the UID in record. The object might have "
                    + "been deleted and then recreated")
        }
        guard pod.at("spec", "nodeName")?.string == node else {
            throw refuse("node requested token bound to a pod scheduled on a different node")
        }
    }
}

extension APIHandler {
    /// Answers POST of `serviceaccounts/<name>/token`.
    func token(_ call: Call) async throws -> Response {
        var body = try await body(call, TokenRequest.resource, call.writeOptions())
        guard let account = store.object(call.index, call.key)?.value else {
            throw StatusError.notFound(call.resource, call.key.name)
        }
        let request = try TokenRequest(body)
        let lookup = { (resource: Resource, name: String) -> JSONValue? in
            guard let index = store.index(of: resource) else { return nil }
            let namespace = resource.isNamespaced ? call.key.namespace : ""
            return store.object(index, ObjectKey(namespace: namespace, name: name))?.value
        }
        if let node = call.context.user.nodeName { try request.admit(node, call.key, lookup) }
        let now = Timestamp.now
        let token = try tokens.sign(request.claims(for: account, call.key, at: now, lookup))
        body.set(.string(call.key.name), at: "metadata", "name")
        body.set(.string(call.key.namespace), at: "metadata", "namespace")
        body.set(.string(now.description), at: "metadata", "creationTimestamp")
        body.set(.array(request.audiences.map { .string($0) }), at: "spec", "audiences")
        body.set(.integer(Int64(request.seconds)), at: "spec", "expirationSeconds")
        body["status"] = [
            "token": .string(token),
            "expirationTimestamp": .string(Timestamp(seconds: now.seconds + Int64(request.seconds)).description),
        ]
        body["kind"] = "TokenRequest"
        body["apiVersion"] = .string(TokenRequest.resource.apiVersion)
        return .value(body, call.format, status: .created)
    }
}
