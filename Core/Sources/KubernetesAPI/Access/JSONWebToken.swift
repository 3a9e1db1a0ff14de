public import JSON

/// A signed token in its compact form (RFC 7515, RFC 7519): read, not yet verified.
public struct JSONWebToken: Sendable {
    /// The signature's algorithm.
    public let algorithm: String
    /// Which key signed it; empty when the token does not say.
    public let keyID: String
    /// What the token claims.
    public let claims: JSONValue
    /// The bytes that are signed.
    public let signedBytes: [UInt8]
    /// The signature.
    public let signature: [UInt8]

    /// Tokens longer than this are refused before they are decoded.
    private static let lengthLimit = 16_384

    /// Reads the text; nil for text that is no such token.
    public init?(_ text: String) {
        guard text.utf8.count <= Self.lengthLimit else { return nil }
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Self.object(parts[0]), let claims = Self.object(parts[1]),
            let signature = Base64.decodeURL(parts[2]), !signature.isEmpty,
            let algorithm = header["alg"]?.string,
            // An extension that must be understood is not (RFC 7515 §4.1.11).
            header["crit"] == nil
        else { return nil }
        self.algorithm = algorithm
        keyID = header["kid"]?.string ?? ""
        self.claims = claims
        signedBytes = Array(text.utf8.prefix(parts[0].count + 1 + parts[1].count))
        self.signature = signature
    }

    /// The part of a token that is signed.
    public static func signedText(keyID: String, claims: JSONValue) -> String {
        let header: JSONValue = ["alg": "ES256", "kid": .string(keyID)]
        return Base64.encodeURL(header.serialized()) + "." + Base64.encodeURL(claims.serialized())
    }

    private static func object(_ text: some Collection<UInt8>) -> JSONValue? {
        guard let bytes = Base64.decodeURL(text), let value = try? JSONValue(parsing: bytes), value.object != nil else {
            return nil
        }
        return value
    }
}
