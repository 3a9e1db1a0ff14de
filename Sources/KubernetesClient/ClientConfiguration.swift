package import Foundation
import Yams

/// Where the API server is and how to prove who one is.
public struct ClientConfiguration: Sendable {
    /// A bearer token, or the file that holds the current one.
    public enum Token: Sendable, Hashable {
        /// The token itself.
        case text(String)
        /// A file that is read again while it is used, because its content changes.
        case file(String)
    }

    /// URL of the server, without a trailing slash.
    public var serverURL: String
    /// Certificates that the server's must descend from, as PEM; nil trusts the system's.
    public var certificateAuthority: [UInt8]?
    /// True accepts any server certificate.
    public var skipsVerification = false
    /// Client certificate chain, as PEM.
    public var clientCertificate: [UInt8]?
    /// Key of the client certificate, as PEM.
    public var clientKey: [UInt8]?
    /// Bearer token.
    public var token: Token?
    /// Namespace for requests that name none.
    public var namespace = "default"

    /// Creates a configuration without credentials.
    public init(serverURL: String) {
        self.serverURL = serverURL
    }

    /// Reads the current context of a kubeconfig file.
    public init(kubeconfigPath path: String) throws {
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw ClientConfigurationError(
                source: path, reason: "the file cannot be read: \(error.localizedDescription)")
        }
        let directory = URL(fileURLWithPath: path).deletingLastPathComponent()
        try self.init(kubeconfig: text, source: path, directory: directory)
    }

    /// Reads the current context of a kubeconfig's text; files that it names are relative to `directory`.
    package init(kubeconfig text: String, source: String, directory: URL) throws {
        let file: KubeconfigFile
        do {
            file = try YAMLDecoder().decode(KubeconfigFile.self, from: text)
        } catch {
            throw ClientConfigurationError(source: source, reason: "it is not a kubeconfig: \(error)")
        }
        let contextName = file.currentContext ?? ""
        guard let context = file.contexts?.first(where: { $0.name == contextName })?.context else {
            throw ClientConfigurationError(
                source: source, reason: "its current-context \"\(contextName)\" is not among its contexts")
        }
        guard let cluster = file.clusters?.first(where: { $0.name == context.cluster })?.cluster else {
            throw ClientConfigurationError(
                source: source, reason: "the cluster \"\(context.cluster ?? "")\" of its context is missing")
        }
        let user = file.users?.first(where: { $0.name == context.user })?.user

        func content(_ base64: String?, _ path: String?, _ field: String) throws -> [UInt8]? {
            if let base64 {
                guard let data = Data(base64Encoded: base64, options: .ignoreUnknownCharacters) else {
                    throw ClientConfigurationError(source: source, reason: "its \(field)-data is not base64")
                }
                return [UInt8](data)
            }
            guard let path else { return nil }
            let url = URL(fileURLWithPath: path, relativeTo: directory)
            guard let data = try? Data(contentsOf: url) else {
                throw ClientConfigurationError(source: source, reason: "its \(field) \(url.path) cannot be read")
            }
            return [UInt8](data)
        }

        self.init(serverURL: Self.withoutTrailingSlash(cluster.server))
        certificateAuthority = try content(
            cluster.certificateAuthorityData, cluster.certificateAuthority, "certificate-authority")
        skipsVerification = cluster.insecureSkipTLSVerify ?? false
        clientCertificate = try content(user?.clientCertificateData, user?.clientCertificate, "client-certificate")
        clientKey = try content(user?.clientKeyData, user?.clientKey, "client-key")
        token =
            user?.token.map(Token.text)
            ?? user?.tokenFile.map { .file(URL(fileURLWithPath: $0, relativeTo: directory).path) }
        namespace = context.namespace ?? "default"
    }

    /// The configuration that a pod finds in its own file system and environment (nil reads the process's).
    public static func inCluster(
        environment: [String: String]? = nil,
        directory: String = "/var/run/secrets/kubernetes.io/serviceaccount"
    ) throws -> ClientConfiguration {
        let environment = environment ?? ProcessInfo.processInfo.environment
        guard let host = environment["KUBERNETES_SERVICE_HOST"], let port = environment["KUBERNETES_SERVICE_PORT"]
        else {
            throw ClientConfigurationError(
                source: "environment",
                reason:
                    "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set; outside a pod, name a kubeconfig")
        }
        var configuration = ClientConfiguration(
            serverURL: "https://\(host.contains(":") ? "[\(host)]" : host):\(port)")
        guard let authority = FileManager.default.contents(atPath: "\(directory)/ca.crt") else {
            throw ClientConfigurationError(source: directory, reason: "ca.crt cannot be read")
        }
        configuration.certificateAuthority = [UInt8](authority)
        configuration.token = .file("\(directory)/token")
        if let namespace = try? String(contentsOfFile: "\(directory)/namespace", encoding: .utf8) {
            configuration.namespace = namespace.trimmingCharacters(in: .whitespacesAndNewlines)
        }
        return configuration
    }

    private static func withoutTrailingSlash(_ text: String) -> String {
        text.hasSuffix("/") ? String(text.dropLast()) : text
    }
}

/// A configuration that cannot be used, and why.
public struct ClientConfigurationError: Error, Sendable, CustomStringConvertible {
    /// Where it came from.
    public let source: String
    /// What is wrong with it.
    public let reason: String

    /// A sentence for people.
    public var description: String { "cannot use the client configuration \(source): \(reason)" }
}

/// The parts of a kubeconfig file that a client needs.
private struct KubeconfigFile: Decodable {
    var currentContext: String?
    var clusters: [NamedCluster]?
    var contexts: [NamedContext]?
    var users: [NamedUser]?

    struct NamedCluster: Decodable {
        var name: String
        var cluster: Cluster
    }
    struct Cluster: Decodable {
        var server: String
        var certificateAuthority: String?
        var certificateAuthorityData: String?
        var insecureSkipTLSVerify: Bool?

        enum CodingKeys: String, CodingKey {
            case server
            case certificateAuthority = "certificate-authority"
            case certificateAuthorityData = "certificate-authority-data"
            case insecureSkipTLSVerify = "insecure-skip-tls-verify"
        }
    }
    struct NamedContext: Decodable {
        var name: String
        var context: Context
    }
    struct Context: Decodable {
        var cluster: String?
        var user: String?
        var namespace: String?
    }
    struct NamedUser: Decodable {
        var name: String
        var user: User
    }
    struct User: Decodable {
        var clientCertificate: String?
        var clientCertificateData: String?
        var clientKey: String?
        var clientKeyData: String?
        var token: String?
        var tokenFile: String?

        enum CodingKeys: String, CodingKey {
            case clientCertificate = "client-certificate"
            case clientCertificateData = "client-certificate-data"
            case clientKey = "client-key"
            case clientKeyData = "client-key-data"
            case token
            case tokenFile
        }
    }

    enum CodingKeys: String, CodingKey {
        case currentContext = "current-context"
        case clusters
        case contexts
        case users
    }
}
