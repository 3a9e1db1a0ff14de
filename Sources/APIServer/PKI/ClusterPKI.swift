public import Addresses
import Foundation
import Linux
import SwiftASN1
import X509

/// The certificate authority of a cluster and what it issued, in `<data directory>/pki`, readable by the owner only.
public struct ClusterPKI: Sendable {
    private let directory: String
    private let issuer: CertificateIssuer

    /// Reads the authority of the data directory, or makes one at first start.
    ///
    /// - Throws: `ConfigurationError` when the directory cannot be written or its files are not a key and certificate.
    public init(dataDirectory: String) throws {
        directory = dataDirectory + "/pki"
        do {
            try FileSystem.makeDirectory(directory, mode: 0o700, intermediate: true)
        } catch {
            throw ConfigurationError("cannot create \(directory): \(error); choose another --data-dir")
        }
        let pair = try Self.pair("ca", in: directory) {
            try CertificateIssuer.makeAuthority(commonName: "duet-cluster")
        }
        do {
            issuer = try CertificateIssuer(pair)
        } catch {
            throw ConfigurationError(
                "\(directory)/ca.crt or ca.key is damaged: \(error); restore both, or remove the directory to "
                    + "make new certificates (every kubeconfig must then be issued again)")
        }
    }

    /// The user as which the controllers act; a default role says what it may do.
    public static let controllers = DefaultRoles.controllers

    /// The file with the serial numbers of certificates that no longer count.
    static func revokedCertificates(dataDirectory: String) -> String { dataDirectory + "/pki/revoked" }

    /// The authority's certificate as PEM text.
    public var authorityCertificate: String { issuer.authorityText }

    /// A kubeconfig with a new certificate for a user, good for clients and, with addresses or names, for servers.
    public func issueKubeconfig(
        user: String, groups: [String], serverURL: String, addresses: [IPAddress] = [], names: [String] = []
    ) throws -> String {
        let pair = try issuer.issue(
            CertificateRequest(
                commonName: user, organizations: groups, addresses: addresses, names: names, isServer: true))
        return Kubeconfig(serverURL: serverURL, authority: authorityCertificate, user: user, credentials: pair).text
    }

    /// What makes and verifies the tokens of service accounts; its key is made once and kept.
    func serviceAccountTokens(_ store: Store) throws -> ServiceAccountTokens {
        let path = directory + "/sa.key"
        if !FileSystem.exists(path) {
            try FileSystem.writeFileAtomically(path, Array(ServiceAccountTokens.makeKey().utf8), mode: 0o600)
        }
        do {
            return try ServiceAccountTokens(privateKey: FileSystem.readText(path), store: store)
        } catch {
            throw ConfigurationError(
                "\(path) is damaged: \(error); restore it, or remove it to make a new key (all tokens of service accounts "
                    + "then end)")
        }
    }

    /// The administrator's kubeconfig; the certificate is made once and kept.
    func administratorKubeconfig(serverURL: String) throws -> String {
        let user = "kubernetes-admin"
        let pair = try issued("admin") { _ in
            true
        } make: {
            CertificateRequest(commonName: user, organizations: ["system:masters"])
        }
        return Kubeconfig(serverURL: serverURL, authority: authorityCertificate, user: user, credentials: pair).text
    }

    /// The certificate with which the server calls nodes; made once and kept.
    func nodeClient() throws -> KeyPair {
        try issued("apiserver-kubelet-client") { _ in
            true
        } make: {
            CertificateRequest(commonName: "kube-apiserver-kubelet-client", organizations: ["system:masters"])
        }
    }

    /// The server's certificate for these addresses and names; made again when they are not what it has.
    func server(addresses: [IPAddress], names: [String]) throws -> KeyPair {
        let wanted = Set(addresses.map { Self.key($0.bytes) } + names)
        return try issued("apiserver") { certificate in
            let alternatives = try? certificate.extensions.subjectAlternativeNames
            return Set((alternatives ?? .init()).compactMap(Self.key)) == wanted
        } make: {
            CertificateRequest(
                commonName: "kube-apiserver", addresses: addresses, names: names, isClient: false, isServer: true)
        }
    }

    /// The stored pair of that name if this authority signed it and it is still right, or a new one.
    private func issued(
        _ name: String, isRight: (Certificate) -> Bool, make request: () -> CertificateRequest
    ) throws -> KeyPair {
        if let pair = try Self.stored(name, in: directory),
            let certificate = try? Certificate(pemEncoded: pair.certificate),
            try certificate.extensions.authorityKeyIdentifier?.keyIdentifier
                == issuer.authority.extensions.subjectKeyIdentifier?.keyIdentifier,
            certificate.notValidAfter > Date(), isRight(certificate)
        {
            return pair
        }
        let pair = try issuer.issue(request())
        try Self.store(pair, name, in: directory)
        return pair
    }

    private static func key(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { String($0, radix: 16) }.joined(separator: ".")
    }

    private static func key(_ name: GeneralName) -> String? {
        switch name {
        case .dnsName(let name): name
        case .ipAddress(let octets): key(octets.bytes)
        default: nil
        }
    }

    private static func pair(_ name: String, in directory: String, make: () throws -> KeyPair) throws -> KeyPair {
        if let pair = try stored(name, in: directory) { return pair }
        let pair = try make()
        try store(pair, name, in: directory)
        return pair
    }

    private static func stored(_ name: String, in directory: String) throws -> KeyPair? {
        let path = "\(directory)/\(name)"
        guard FileSystem.exists(path + ".crt"), FileSystem.exists(path + ".key") else { return nil }
        return KeyPair(
            certificate: try FileSystem.readText(path + ".crt"), privateKey: try FileSystem.readText(path + ".key"))
    }

    /// The key first: a pair counts as stored only with both files, so a crash in between makes a new one.
    private static func store(_ pair: KeyPair, _ name: String, in directory: String) throws {
        let path = "\(directory)/\(name)"
        if FileSystem.exists(path + ".crt") {
            try FileSystem.remove(path + ".crt")
        }
        try FileSystem.writeFileAtomically(path + ".key", Array(pair.privateKey.utf8), mode: 0o600)
        try FileSystem.writeFileAtomically(path + ".crt", Array(pair.certificate.utf8), mode: 0o600)
    }
}
