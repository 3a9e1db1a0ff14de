import KubernetesAPI
import NIOCore
import NIOSSL
import SwiftASN1
import Synchronization
import X509

/// Who sends a request.
struct UserIdentity: Sendable, Hashable {
    /// The common name of the certificate.
    let name: String
    /// Its organizations.
    let groups: [String]
}

/// Finds the user of a connection from its client certificate, which TLS has verified.
final class Authenticator: Sendable {
    /// Certificates seen lately, so that one is decoded once and not for every request.
    private let known = Mutex<[[UInt8]: UserIdentity]>([:])
    private static let knownLimit = 256

    /// The user; nil when the client showed no certificate.
    func user(of channel: any Channel) async throws -> UserIdentity? {
        guard let certificate = try await channel.nioSSL_peerCertificate().get() else { return nil }
        let bytes = try certificate.toDERBytes()
        if let identity = known.withLock({ $0[bytes] }) { return identity }
        let identity = try Self.identity(Certificate(derEncoded: bytes))
        known.withLock {
            if $0.count >= Self.knownLimit {
                $0.removeAll()
            }
            $0[bytes] = identity
        }
        return identity
    }

    private static func identity(_ certificate: Certificate) throws -> UserIdentity {
        let usage = try certificate.extensions.extendedKeyUsage
        guard usage?.contains(.clientAuth) ?? true else { throw StatusError.unauthorized() }
        var name = ""
        var groups: [String] = []
        for attribute in certificate.subject.flatMap({ Array($0) }) {
            switch attribute.type {
            case .RDNAttributeType.commonName: name = String(describing: attribute.value)
            case .RDNAttributeType.organizationName: groups.append(String(describing: attribute.value))
            default: break
            }
        }
        guard !name.isEmpty else { throw StatusError.unauthorized() }
        return UserIdentity(name: name, groups: groups)
    }
}
