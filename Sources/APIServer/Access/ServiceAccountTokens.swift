import Crypto
import Foundation
package import JSON
package import KubernetesAPI
import Synchronization

/// Issues and verifies the tokens of service accounts (ES256, RFC 7518 §3.4).
///
/// A token is good while its service account and the object that it is bound to exist with the uids that it names.
package final class ServiceAccountTokens: Sendable {
    /// Who issues the tokens, and for whom they are when a request names nobody.
    package static let issuer = "https://kubernetes.default.svc.cluster.local"

    private let key: P256.Signing.PrivateKey
    private let keyID: String
    private let store: Store
    /// Tokens seen lately, so that a signature is verified once.
    private let known = Mutex<[String: VerifiedToken]>([:])
    private static let knownLimit = 4_096

    /// Uses a key, given as PEM text.
    package init(privateKey: String, store: Store) throws {
        key = try P256.Signing.PrivateKey(pemRepresentation: privateKey)
        keyID = Base64.encodeURL(Array(SHA256.hash(data: key.publicKey.derRepresentation)))
        self.store = store
    }

    /// Makes a key, as PEM text.
    package static func makeKey() -> String { P256.Signing.PrivateKey().pemRepresentation }

    /// The key by which signatures are verified, as a JSON Web Key (RFC 7518 §6.2.1).
    package var publicKey: JSONValue {
        let point = [UInt8](key.publicKey.rawRepresentation)
        return [
            "use": "sig", "kty": "EC", "kid": .string(keyID), "crv": "P-256", "alg": "ES256",
            "x": .string(Base64.encodeURL(point.prefix(point.count / 2))),
            "y": .string(Base64.encodeURL(point.suffix(point.count / 2))),
        ]
    }

    /// Signs claims.
    package func sign(_ claims: JSONValue) throws -> String {
        let text = JSONWebToken.signedText(keyID: keyID, claims: claims)
        let signature = try key.signature(for: Data(text.utf8))
        return "\(text).\(Base64.encodeURL(Array(signature.rawRepresentation)))"
    }

    /// The user of a token, and for whom of the audiences it is; nil for a token that is not good.
    ///
    /// - Parameter audiences: Any one of them suffices.
    package func user(
        of token: String, audiences: [String] = [ServiceAccountTokens.issuer], at now: Timestamp = .now
    ) -> (user: User, audiences: [String])? {
        guard var verified = known.withLock({ $0[token] }) ?? verify(token) else { return nil }
        // Clocks may differ a little, but not in favour of what has ended.
        guard now.seconds < verified.expires, verified.begins <= now.seconds + 10 else {
            known.withLock { _ = $0.removeValue(forKey: token) }
            return nil
        }
        let shared = audiences.filter(verified.audiences.contains)
        guard !shared.isEmpty else { return nil }
        var isChanged = false
        for position in verified.anchors.indices {
            guard confirm(&verified.anchors[position], &isChanged) else { return nil }
        }
        if isChanged {
            known.withLock { known in
                if known.count >= Self.knownLimit { known.removeAll() }
                known[token] = verified
            }
        }
        return (verified.user, shared)
    }

    /// True while the object is there with its uid; reads it only when it has changed.
    private func confirm(_ anchor: inout VerifiedToken.Anchor, _ isChanged: inout Bool) -> Bool {
        guard let index = store.index(of: anchor.resource), let object = store.object(index, anchor.key) else {
            return false
        }
        if object === anchor.seen { return true }
        let metadata = object.value["metadata"] ?? [:]
        guard metadata["uid"]?.string == anchor.uid else { return false }
        // A pod that ends may still use its token; an account that is deleted is not to be used again.
        guard anchor.resource == .pods || metadata["deletionTimestamp"] == nil else { return false }
        anchor.seen = object
        isChanged = true
        return true
    }

    private func verify(_ text: String) -> VerifiedToken? {
        guard let token = JSONWebToken(text), token.algorithm == "ES256", token.keyID == keyID,
            let signature = try? P256.Signing.ECDSASignature(rawRepresentation: token.signature),
            key.publicKey.isValidSignature(signature, for: Data(token.signedBytes))
        else { return nil }
        return VerifiedToken(claims: token.claims, issuer: Self.issuer)
    }
}

/// What a token with a good signature says.
struct VerifiedToken: Sendable {
    /// An object that must exist.
    struct Anchor: Sendable {
        let resource: Resource
        let key: ObjectKey
        let uid: String
        /// The state in which the uid was last found right.
        var seen: StoredObject?
    }

    let user: User
    let audiences: [String]
    /// Seconds since 1970.
    let begins: Int64
    /// Seconds since 1970.
    let expires: Int64
    var anchors: [Anchor]

    init?(claims: JSONValue, issuer: String) {
        guard claims["iss"]?.string == issuer, let expires = claims["exp"]?.int,
            let account = claims["sub"]?.string.flatMap(ServiceAccountName.init(userName:)),
            let own = claims["kubernetes.io"], own["namespace"]?.string == account.namespace,
            own.at("serviceaccount", "name")?.string == account.name,
            let uid = own.at("serviceaccount", "uid")?.string
        else { return nil }
        self.expires = Int64(expires)
        begins = Int64(claims["nbf"]?.int ?? 0)
        audiences = claims["aud"]?.array?.compactMap(\.string) ?? claims["aud"]?.string.map { [$0] } ?? []
        anchors = [
            Anchor(
                resource: .serviceAccounts, key: ObjectKey(namespace: account.namespace, name: account.name), uid: uid)
        ]
        var extra: [String: [String]] = [:]
        if let id = claims["jti"]?.string { extra["authentication.kubernetes.io/credential-id"] = ["JTI=\(id)"] }
        let bound: [(String, Resource)] = [("pod", .pods), ("secret", .secrets), ("node", .nodes)]
        for (kind, resource) in bound {
            guard let name = own.at(kind, "name")?.string else { continue }
            let uid = own.at(kind, "uid")?.string
            if kind != "secret" {
                extra["authentication.kubernetes.io/\(kind)-name"] = [name]
                if let uid { extra["authentication.kubernetes.io/\(kind)-uid"] = [uid] }
            }
            // The node of a pod is said, and not what the token is bound to.
            guard kind != "node" || own["pod"] == nil else { continue }
            guard let uid else { return nil }
            let namespace = resource.isNamespaced ? account.namespace : ""
            anchors.append(Anchor(resource: resource, key: ObjectKey(namespace: namespace, name: name), uid: uid))
        }
        user = User(name: account.userName, uid: uid, groups: account.groups, extra: extra).asAuthenticated
    }
}
