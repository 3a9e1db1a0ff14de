public import Addresses
import AsyncHTTPClient
import Foundation
public import JSON
import KubernetesAPI
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// A connection pool to one API server, with requests in JSON.
///
/// One event loop thread serves all requests and watches.
public final class KubernetesClient: Sendable {
    /// Where the server is and who the client is.
    public let configuration: ClientConfiguration
    let userAgent: String
    private let group: MultiThreadedEventLoopGroup
    let http: HTTPClient
    private let connections = ClientConnections()
    private let fileToken = Mutex<(text: String, readAt: ContinuousClock.Instant)?>(nil)
    private let isLost = Atomic(false)

    /// Time within which an ordinary request must be answered.
    static let requestTimeout = TimeAmount.seconds(30)
    /// Largest body of an answer in bytes.
    static let maximumBodySize = 64 << 20

    /// Creates a client; nothing is sent until the first request.
    public init(configuration: ClientConfiguration, userAgent: String) throws {
        var tls = TLSConfiguration.makeClientConfiguration()
        if configuration.skipsVerification {
            tls.certificateVerification = .none
        }
        if let authority = configuration.certificateAuthority {
            tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(authority))
        }
        if let certificate = configuration.clientCertificate, let key = configuration.clientKey {
            tls.certificateChain = try NIOSSLCertificate.fromPEMBytes(certificate).map { .certificate($0) }
            tls.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: key, format: .pem))
        }
        var settings = HTTPClient.Configuration(tlsConfiguration: tls)
        settings.timeout.connect = .seconds(5)
        // Longer than any watch lasts; a peer that vanished without a word is noticed by the kernel.
        settings.timeout.read = .minutes(12)
        settings.redirectConfiguration = .disallow
        // Failures come back at once: the informers' own back-off decides when to try again.
        settings.connectionPool.retryConnectionEstablishment = false
        // Each watch holds a connection for as long as it lasts.
        settings.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 128
        let connections = connections
        settings.http1_1ConnectionDebugInitializer = { connections.add($0) }
        settings.http2ConnectionDebugInitializer = { connections.add($0) }
        self.configuration = configuration
        self.userAgent = userAgent
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        http = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: settings)
    }

    /// Notes that the server does not answer; whoever is first to, and gets `true`, tells it for all.
    func loses() -> Bool { !isLost.exchange(true, ordering: .relaxed) }

    /// Notes that the server answers; returns whether it did not before.
    func finds() -> Bool { isLost.exchange(false, ordering: .relaxed) }

    /// Gives up connections from an address that this machine has no longer: their answers cannot arrive.
    public func abandonConnections(from address: IPAddress) {
        connections.abandon(from: address)
    }

    /// Ends every request and frees the thread; the client cannot be used afterwards.
    public func shutdown() async {
        connections.abandon()
        try? await http.shutdown()
        try? await group.shutdownGracefully()
    }

    /// Sends one request and returns the JSON of the answer.
    ///
    /// Throws the server's `StatusError` for answers other than 2xx, and the transport's error when there was no answer.
    @discardableResult
    public func request(
        _ method: HTTPMethod, path: String, query: [(String, String)] = [], body: JSONValue? = nil,
        contentType: String = "application/json"
    ) async throws -> JSONValue {
        let response = try await send(method, path: path, query: query, body: body, contentType: contentType)
        let buffer = try await response.body.collect(upTo: Self.maximumBodySize)
        guard buffer.readableBytes > 0 else { return .null }
        return try JSONValue(parsing: Array(buffer.readableBytesView))
    }

    /// Sends one request and returns the answer once its head has come; answers other than 2xx are thrown.
    func send(
        _ method: HTTPMethod, path: String, query: [(String, String)], body: JSONValue?,
        contentType: String = "application/json"
    ) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: configuration.serverURL + Self.target(path: path, query: query))
        request.method = NIOHTTP1.HTTPMethod(rawValue: method.rawValue)
        request.headers.add(name: "User-Agent", value: userAgent)
        request.headers.add(name: "Accept", value: "application/json")
        if let token = bearerToken() {
            request.headers.add(name: "Authorization", value: "Bearer \(token)")
        }
        if let body {
            request.headers.add(name: "Content-Type", value: contentType)
            request.body = .bytes(ByteBuffer(bytes: body.serialized()))
        }
        let response: HTTPClientResponse
        do {
            response = try await http.execute(request, timeout: Self.requestTimeout)
        } catch let error as HTTPClientError where error == .remoteConnectionClosed && method == .get {
            // A pooled connection that the server had closed meanwhile; reading twice does no harm.
            response = try await http.execute(request, timeout: Self.requestTimeout)
        }
        guard !(200..<300).contains(response.status.code) else { return response }
        throw try await Self.error(of: response)
    }

    private static func error(of response: HTTPClientResponse) async throws -> StatusError {
        let buffer = try await response.body.collect(upTo: 1 << 20)
        if let value = try? JSONValue(parsing: Array(buffer.readableBytesView)),
            let error = StatusError(status: value, httpStatus: Int(response.status.code))
        {
            return error
        }
        let text = String(decoding: buffer.readableBytesView.prefix(200), as: UTF8.self)
        return StatusError(
            code: Int(response.status.code), reason: "", message: "\(response.status): \(text)")
    }

    private func bearerToken() -> String? {
        switch configuration.token {
        case nil: return nil
        case .text(let text): return text
        case .file(let path):
            return fileToken.withLock { cached in
                if let cached, cached.readAt.duration(to: .now) < .seconds(60) {
                    return cached.text
                }
                guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return cached?.text }
                let token = text.trimmingCharacters(in: .whitespacesAndNewlines)
                cached = (token, .now)
                return token
            }
        }
    }

    /// Path and query with everything outside RFC 3986's unreserved characters escaped in the query.
    package static func target(path: String, query: [(String, String)]) -> String {
        guard !query.isEmpty else { return path }
        let pairs = query.map { "\($0.0)=\(escape($0.1))" }
        return "\(path)?\(pairs.joined(separator: "&"))"
    }

    private static func escape(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return result
    }
}

/// An HTTP method of the API.
public enum HTTPMethod: String, Sendable {
    /// Reads.
    case get = "GET"
    /// Creates.
    case post = "POST"
    /// Replaces.
    case put = "PUT"
    /// Changes in part.
    case patch = "PATCH"
    /// Deletes.
    case delete = "DELETE"
}
