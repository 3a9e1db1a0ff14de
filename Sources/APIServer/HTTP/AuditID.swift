import HTTPTypes
import HummingbirdCore

/// The identifier by which a client's report and the server's log speak of the same request.
struct AuditID: CustomStringConvertible {
    /// Longest identifier of a client's own that is answered.
    private static let limit = 64

    let description: String

    /// The identifier that the client chose, or a new one.
    init(_ request: Request) {
        let chosen = request.headers[.auditID] ?? ""
        description = chosen.isEmpty ? RandomNames.uuid() : String(chosen.prefix(Self.limit))
    }
}

extension HTTPField.Name {
    /// `Audit-Id`.
    static let auditID = HTTPField.Name("Audit-Id") ?? .age
}
