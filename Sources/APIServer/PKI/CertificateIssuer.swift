import Addresses
import Crypto
import Foundation
import SwiftASN1
import X509

/// A certificate with its private key, as PEM texts.
struct KeyPair: Sendable {
    /// The certificate.
    let certificate: String
    /// The key, PKCS #8.
    let privateKey: String
}

/// Who a certificate is for and what it may do.
struct CertificateRequest: Sendable {
    /// The common name: a user, or a server.
    var commonName: String
    /// The organizations: the groups of a user.
    var organizations: [String] = []
    /// Addresses under which a server is reached.
    var addresses: [IPAddress] = []
    /// Names under which a server is reached.
    var names: [String] = []
    /// True when it authenticates a client.
    var isClient = true
    /// True when it authenticates a server.
    var isServer = false
}

/// Makes P-256 certificates with one authority's key.
struct CertificateIssuer: Sendable {
    /// The authority's certificate.
    let authority: Certificate
    private let key: P256.Signing.PrivateKey

    /// The authority's certificate as PEM text.
    let authorityText: String

    /// Years that the authority and what it issues stay valid.
    private static let lifetime = (authority: 20.0, leaf: 10.0)

    /// Reads an authority made by `makeAuthority`.
    init(_ pair: KeyPair) throws {
        authority = try Certificate(pemEncoded: pair.certificate)
        key = try P256.Signing.PrivateKey(pemRepresentation: pair.privateKey)
        authorityText = pair.certificate
    }

    /// Makes a self-signed authority.
    static func makeAuthority(commonName: String) throws -> KeyPair {
        let key = P256.Signing.PrivateKey()
        let name = try DistinguishedName { CommonName(commonName) }
        let certificate = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: .init(key.publicKey),
            notValidBefore: start, notValidAfter: end(years: lifetime.authority), issuer: name, subject: name,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(digitalSignature: true, keyCertSign: true, cRLSign: true))
                SubjectKeyIdentifier(hash: Certificate.PublicKey(key.publicKey))
            },
            issuerPrivateKey: .init(key))
        return KeyPair(certificate: try pem(certificate), privateKey: key.pemRepresentation)
    }

    /// Makes a key and signs its certificate.
    func issue(_ request: CertificateRequest) throws -> KeyPair {
        let leaf = P256.Signing.PrivateKey()
        var attributes = request.organizations.map {
            RelativeDistinguishedName(.init(type: .RDNAttributeType.organizationName, utf8String: $0))
        }
        attributes.append(
            RelativeDistinguishedName(.init(type: .RDNAttributeType.commonName, utf8String: request.commonName)))
        var usages: [ExtendedKeyUsage.Usage] = []
        if request.isClient {
            usages.append(.clientAuth)
        }
        if request.isServer {
            usages.append(.serverAuth)
        }
        let alternatives =
            request.names.map { GeneralName.dnsName($0) }
            + request.addresses.map { .ipAddress(ASN1OctetString(contentBytes: ArraySlice($0.bytes))) }
        let certificate = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: .init(leaf.publicKey),
            notValidBefore: Self.start, notValidAfter: Self.end(years: Self.lifetime.leaf),
            issuer: authority.subject, subject: DistinguishedName(attributes),
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage(usages)
                AuthorityKeyIdentifier(
                    keyIdentifier: try authority.extensions.subjectKeyIdentifier?.keyIdentifier)
                if !alternatives.isEmpty {
                    SubjectAlternativeNames(alternatives)
                }
            },
            issuerPrivateKey: .init(key))
        return KeyPair(certificate: try Self.pem(certificate), privateKey: leaf.pemRepresentation)
    }

    private static func pem(_ certificate: Certificate) throws -> String {
        try certificate.serializeAsPEM().pemString + "\n"
    }

    /// A little in the past, for clients whose clocks are behind.
    private static var start: Date { Date(timeIntervalSinceNow: -3600) }

    private static func end(years: Double) -> Date { Date(timeIntervalSinceNow: years * 365.25 * 86400) }
}
