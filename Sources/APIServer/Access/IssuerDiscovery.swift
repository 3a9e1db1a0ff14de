import HTTPTypes
import HummingbirdCore
import JSON
import KubernetesAPI

/// What others need to verify the tokens of service accounts (OpenID Connect Discovery 1.0, RFC 7517).
struct IssuerDiscovery: Sendable {
    /// Where the issuer is described.
    static let configurationPath = "/.well-known/openid-configuration"
    /// Where its keys are.
    static let keysPath = "/openid/v1/jwks"

    private let documents: [String: JSONValue]

    /// Describes the issuer.
    ///
    /// - Parameter serverURL: Where clients reach the server.
    init(_ tokens: ServiceAccountTokens, serverURL: String) {
        documents = [
            Self.configurationPath: [
                "issuer": .string(ServiceAccountTokens.issuer), "jwks_uri": .string(serverURL + Self.keysPath),
                "response_types_supported": ["id_token"], "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["ES256"],
            ],
            Self.keysPath: ["keys": [tokens.publicKey]],
        ]
    }

    /// The answer to GET of a path; nil for paths of others.
    func answer(_ request: Request) -> Response? {
        guard request.method == .get || request.method == .head, let document = documents[request.uri.path] else {
            return nil
        }
        var response = Response.value(document)
        if request.uri.path == Self.keysPath { response.headers[.contentType] = "application/jwk-set+json" }
        response.headers[.cacheControl] = "public, max-age=3600"
        return response
    }
}
