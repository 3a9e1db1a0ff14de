import AsyncHTTPClient
import Foundation
public import JSON
import Linux
import NIOCore
import NIOHTTP1

/// Asks a running translator at its socket.
public struct TranslatorClient: Sendable {
    private let path: String

    /// Makes a client of the translator whose socket lies at a path.
    public init(path: String) {
        self.path = path
    }

    /// The answer to a question, as JSON.
    public func value(_ question: String) async throws -> JSONValue {
        let response = try await response(question)
        let body = try await response.body.collect(upTo: 1 << 30)
        return try JSONValue(parsing: Array(body.readableBytesView))
    }

    /// Hands over the lines of an answer that does not end, as they come.
    public func lines(_ question: String, _ body: (JSONValue) -> Void) async throws {
        let response = try await response(question)
        var rest: [UInt8] = []
        for try await part in response.body {
            rest += part.readableBytesView
            while let end = rest.firstIndex(of: 10) {
                body(try JSONValue(parsing: Array(rest[..<end])))
                rest.removeSubrange(...end)
            }
        }
    }

    private func response(_ question: String) async throws -> HTTPClientResponse {
        guard let url = URL(httpURLWithSocketPath: path, uri: question) else { throw failure("it is no path") }
        let response: HTTPClientResponse
        do {
            response = try await HTTPClient.shared.execute(
                HTTPClientRequest(url: url.absoluteString), deadline: .distantFuture)
        } catch let error as IOError {
            throw failure(
                "\(Errno(rawValue: error.errnoCode)); does `duet nat64 run` run, with this socket, and may this user "
                    + "write to it?")
        } catch {
            throw failure("\(error); does `duet nat64 run` run, with this socket, and may this user write to it?")
        }
        guard response.status == .ok else {
            let body = try await response.body.collect(upTo: 1 << 16)
            throw failure(String(buffer: body).trimmingCharacters(in: .whitespacesAndNewlines))
        }
        return response
    }

    private func failure(_ problem: String) -> TranslatorConfigurationError {
        TranslatorConfigurationError("", "cannot ask the translator at \(path): \(problem)")
    }
}
