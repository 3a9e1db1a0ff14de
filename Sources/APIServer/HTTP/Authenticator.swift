import HTTPTypes
import HummingbirdCore
import KubernetesAPI
import NIOCore
import NIOSSL
import SwiftASN1
import Synchronization
import X509

/// Finds the user of a request: by the client certificate of its connection, or by a bearer token.
final class Authenticator: Sendable {
    /// Tokens that the operator gave.
    private let tokens: StaticTokens
    /// Tokens of service accounts.
    private let accounts: ServiceAccountTokens
    /// Certificates that no longer count.
    private let revoked: RevokedCertificates
    /// The certificates' users by connection; nil for one without certificate.
    private let connections = Mutex<[ObjectIdentifier: CertifiedUser?]>([:])

    private struct CertifiedUser: Sendable {
        let user: User
        let serial: [UInt8]
        let channel: any Channel
    }

    init(tokens: StaticTokens, accounts: ServiceAccountTokens, revoked: RevokedCertificates) {
        self.tokens = tokens
        self.accounts = accounts
        self.revoked = revoked
    }

    /// The user; nil when the client shows no credential.
    ///
    /// - Throws: 401 for a credential that is not good.
    func user(of request: Request, _ context: ServerRequestContext) async throws -> User? {
        if let certified = try await certifiedUser(of: context.channel) {
            if revoked.refresh() { endRevoked() }
            guard !revoked.contains(certified.serial) else { throw StatusError.unauthorized() }
            return certified.user
        }
        guard let token = Self.bearerToken(request.headers[.authorization]) else { return nil }
        guard let user = tokens[token] ?? accounts.user(of: token)?.user else { throw StatusError.unauthorized() }
        return user
    }

    /// The user of a bearer token, and for which of the audiences it is; nil for a token that is not good.
    @Sendable
    func user(of token: String, audiences: [String]) -> (user: User, audiences: [String])? {
        guard let user = tokens[token] else { return accounts.user(of: token, audiences: audiences) }
        // Static tokens are for this server.
        return audiences.contains(ServiceAccountTokens.issuer) ? (user, [ServiceAccountTokens.issuer]) : nil
    }

    /// The token of an `Authorization` header (RFC 6750 §2.1); nil for other schemes.
    private static func bearerToken(_ header: String?) -> String? {
        guard let header else { return nil }
        let parts = header.utf8.split(separator: UInt8(ascii: " "), maxSplits: 1)
        guard parts.count == 2, Substring(parts[0]).lowercased() == "bearer" else { return nil }
        return String(Substring(parts[1]))
    }

    /// Closes the connections, and so ends the watches, of those whose certificates no longer count.
    private func endRevoked() {
        let known = connections.withLock { connections in connections.values.compactMap(\.self) }
        for connection in known where revoked.contains(connection.serial) {
            connection.channel.close(promise: nil)
        }
    }

    /// The user of the client certificate, which TLS has verified; asked once for each connection.
    private func certifiedUser(of channel: any Channel) async throws -> CertifiedUser? {
        let id = ObjectIdentifier(channel)
        if let known = connections.withLock({ $0[id] }) { return known }
        let certificate = try await channel.nioSSL_peerCertificate().get()
        let user = try certificate.map { try Self.user(Certificate(derEncoded: $0.toDERBytes()), of: channel) }
        connections.withLock { $0[id] = .some(user) }
        channel.closeFuture.whenComplete { [self] _ in
            _ = connections.withLock { $0.removeValue(forKey: id) }
        }
        return user
    }

    private static func user(_ certificate: Certificate, of channel: any Channel) throws -> CertifiedUser {
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
        return CertifiedUser(
            user: User(name: name, groups: groups).asAuthenticated, serial: Array(certificate.serialNumber.bytes),
            channel: channel)
    }
}
