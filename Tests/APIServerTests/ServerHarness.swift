import APIServer
import Addresses
import AsyncHTTPClient
import Foundation
import JSON
import Logging
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import NIOSSL
import TestSupport
import Testing

/// A server on a free port with a directory of its own, and an administrator's client of it.
struct ServerHarness {
    /// The data directory.
    let directory: String
    /// The port.
    let port: Int
    /// Host of the URLs.
    var host = "127.0.0.1"
    /// Headers of every request.
    private var headers: [(String, String)] = []
    private var client: HTTPClient
    private let stranger: HTTPClient

    private init(directory: String, port: Int, client: HTTPClient, stranger: HTTPClient) {
        self.directory = directory
        self.port = port
        self.client = client
        self.stranger = stranger
    }

    /// An answer.
    struct Answer {
        /// HTTP status code.
        let code: Int
        /// The headers.
        let headers: HTTPHeaders
        /// The body.
        let bytes: [UInt8]

        /// The body as JSON; null when it is none.
        var json: JSONValue { (try? JSONValue(parsing: bytes)) ?? .null }
        /// The body as text.
        var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    /// Runs `body` with a server that is stopped and whose directory is removed afterwards.
    static func run(
        bind: String = "::", ranges: [String] = ["10.96.0.0/16", "fd00:10:96::/112"],
        advertise: [String] = ["192.0.2.10", "2001:db8::10"], directory: String? = nil, tokens: String? = nil,
        _ body: @escaping (ServerHarness) async throws -> Void
    ) async throws {
        let path = directory ?? NSTemporaryDirectory() + "dt-apiserver-" + UUID().uuidString
        defer {
            if directory == nil {
                try? FileManager.default.removeItem(atPath: path)
            }
        }
        var tokenFile: String?
        if let tokens {
            tokenFile = path + ".tokens"
            try Data(tokens.utf8).write(to: URL(fileURLWithPath: path + ".tokens"))
        }
        defer { try? tokenFile.map(FileManager.default.removeItem(atPath:)) }
        let port = FreePort.next()
        var logger = Logger(label: "apiserver")
        logger.logLevel = .critical
        let server = try await APIServer(
            configuration: APIServerConfiguration(
                dataDirectory: path, bindAddress: bind, securePort: port,
                advertiseAddresses: advertise.compactMap { IPAddress($0) },
                serviceClusterIPRanges: ranges.compactMap { IPPrefix($0) }, tokenAuthFile: tokenFile),
            logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            #expect(await server.waitUntilListening())
            let client = try administrator(path)
            let stranger = self.client(path)
            let result: Result<Void, any Error>
            do {
                let harness = ServerHarness(
                    directory: path, port: port, client: client, stranger: stranger)
                result = .success(try await body(harness))
            } catch {
                result = .failure(error)
            }
            try await client.shutdown()
            try await stranger.shutdown()
            group.cancelAll()
            try? await group.waitForAll()
            try result.get()
        }
    }

    /// Sends a request and reads the whole answer.
    func send(
        _ method: String, _ path: String, _ body: JSONValue? = nil, type: String = "application/json",
        accept: String = "application/json"
    ) async throws -> Answer {
        try await send(method, path, bytes: body.map { $0.serialized() }, type: type, accept: accept)
    }

    /// Sends a request with any body and reads the whole answer.
    func send(
        _ method: String, _ path: String, bytes: [UInt8]?, type: String = "application/json",
        accept: String = "application/json"
    ) async throws -> Answer {
        let answer = try await open(method, path, bytes, type: type, accept: accept)
        let bytes = try await answer.body.collect(upTo: 64 << 20)
        return Answer(code: Int(answer.status.code), headers: answer.headers, bytes: [UInt8](buffer: bytes))
    }

    /// Sends a request whose body comes in time, and reads the whole answer.
    func send(_ method: String, _ path: String, streaming body: AsyncStream<ByteBuffer>) async throws -> Answer {
        var request = HTTPClientRequest(url: "https://\(host):\(port)\(path)")
        request.method = HTTPMethod(rawValue: method)
        request.headers.add(name: "content-type", value: "application/json")
        request.body = .stream(body, length: .unknown)
        let answer = try await client.execute(request, timeout: .seconds(60))
        let bytes = try await answer.body.collect(upTo: 64 << 20)
        return Answer(code: Int(answer.status.code), headers: answer.headers, bytes: [UInt8](buffer: bytes))
    }

    /// Sends a request and leaves the body to be read.
    func open(
        _ method: String, _ path: String, _ body: [UInt8]? = nil, type: String = "application/json",
        accept: String = "application/json"
    ) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: "https://\(host):\(port)\(path)")
        request.method = HTTPMethod(rawValue: method)
        request.headers.add(name: "accept", value: accept)
        for (name, value) in headers {
            request.headers.add(name: name, value: value)
        }
        if let body {
            request.headers.add(name: "content-type", value: type)
            request.body = .bytes(body)
        }
        return try await client.execute(request, timeout: .seconds(60))
    }

    /// The same server under another address.
    func at(_ host: String) -> ServerHarness {
        var copy = self
        copy.host = host
        return copy
    }

    /// The same server for a client without certificate.
    func withoutCredentials() -> ServerHarness {
        var copy = self
        copy.client = stranger
        return copy
    }

    /// The same server for a client with a bearer token and no certificate.
    func with(token: String, headers: [(String, String)] = []) -> ServerHarness {
        var copy = withoutCredentials()
        copy.headers = [("authorization", "Bearer \(token)")] + headers
        return copy
    }

    /// The same server with a client of its own, which has to be closed.
    func another() throws -> ServerHarness {
        var copy = self
        copy.client = try Self.administrator(directory)
        return copy
    }

    /// Does something with a client of its own, and closes that.
    func closing<Result>(_ body: (ServerHarness) async throws -> Result) async throws -> Result {
        do {
            let result = try await body(self)
            try await disconnect()
            return result
        } catch {
            try await disconnect()
            throw error
        }
    }

    /// The serial number of a certificate, as `openssl` shows it.
    static func serial(ofPEM text: String) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = ["x509", "-noout", "-serial"]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
        try input.fileHandleForWriting.close()
        let printed = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return printed.replacing("serial=", with: "").filter(\.isHexDigit)
    }

    /// Closes the client's connections, whatever they are at.
    func disconnect() async throws {
        try await client.shutdown()
    }

    /// The same server with a header more in every request.
    func sending(_ name: String, _ value: String) -> ServerHarness {
        var copy = self
        copy.headers.append((name, value))
        return copy
    }

    private static func client(_ directory: String, _ adjust: (inout TLSConfiguration) -> Void = { _ in }) -> HTTPClient
    {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .file(directory + "/pki/ca.crt")
        adjust(&tls)
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls)
        configuration.redirectConfiguration = .disallow
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    private static func administrator(_ directory: String) throws -> HTTPClient {
        let pki = directory + "/pki"
        let chain = try NIOSSLCertificate.fromPEMFile(pki + "/admin.crt")
        let key = try NIOSSLPrivateKey(file: pki + "/admin.key", format: .pem)
        return client(directory) {
            $0.certificateChain = chain.map { .certificate($0) }
            $0.privateKey = .privateKey(key)
        }
    }
}
