import NIOCore
import NIOSSL
import SwiftASN1
import X509

/// Decides who may use the node's API: the members of `system:masters`, to whom the API server belongs.
struct NodeServerAuthority: Sendable {
    enum Decision: Sendable, Hashable {
        case allowed
        /// No certificate was shown.
        case anonymous
        /// The certificate belongs to somebody else.
        case forbidden(user: String)
    }

    /// The decision for a connection, whose certificate TLS has verified.
    func decision(for channel: any Channel) async -> Decision {
        guard let certificate = try? await channel.nioSSL_peerCertificate().get(),
            let bytes = try? certificate.toDERBytes(), let parsed = try? Certificate(derEncoded: bytes)
        else { return .anonymous }
        var user = ""
        for attribute in parsed.subject.flatMap({ Array($0) }) {
            let value = String(describing: attribute.value)
            if attribute.type == .RDNAttributeType.organizationName, value == "system:masters" { return .allowed }
            if attribute.type == .RDNAttributeType.commonName { user = value }
        }
        return .forbidden(user: user)
    }
}
