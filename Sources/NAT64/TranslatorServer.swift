import Foundation
import Hummingbird
import Linux
import Logging
import NIOCore
import NIOPosix

/// Where commands and Prometheus ask.
enum TranslatorServer {
    /// Makes the directory of a socket, and takes away the socket of a process that has ended.
    static func makeRoom(for path: String) throws {
        let directory = (path as NSString).deletingLastPathComponent
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        } catch {
            throw TranslatorConfigurationError("control", "cannot make the directory \(directory): \(error)")
        }
        let occupant: UnixSocket.Occupant
        do {
            occupant = try UnixSocket.occupant(of: path)
        } catch {
            throw TranslatorConfigurationError(
                "control", "cannot tell who answers at \(path): \(error.errno); choose another path")
        }
        switch occupant {
        case .nothing: break
        case .abandoned: unlink(path)
        case .open:
            throw TranslatorConfigurationError(
                "control", "another translator answers at \(path); end it, or choose another path")
        case .other:
            throw TranslatorConfigurationError("control", "\(path) is no socket; take it away, or choose another path")
        }
    }

    /// Answers commands at a socket, which the owner of the process alone may write to.
    static func control(_ path: String, _ answers: TranslatorResponder, _ logger: Logger) async throws {
        defer { unlink(path) }
        try await serve(.unixDomainSocket(path: path), "control", path, logger) { request in answers.answer(request) }
    }

    /// Serves metrics alone.
    static func metrics(_ host: String, _ port: Int, _ answers: TranslatorResponder, _ logger: Logger) async throws {
        try await serve(.hostname(host, port: port), "metrics", "\(host), port \(port)", logger) { request in
            request.uri.path == "/metrics" ? answers.answer(request) : answers.text(.notFound, "404 page not found\n")
        }
    }

    private static func serve(
        _ address: BindAddress, _ key: String, _ place: String, _ logger: Logger,
        _ answer: @escaping @Sendable (Request) -> Response
    ) async throws {
        var quieter = logger
        quieter.logLevel = .critical
        let application = Application(
            responder: CallbackResponder { (request: Request, _: BasicRequestContext) in answer(request) },
            configuration: ApplicationConfiguration(address: address, serverName: nil, reuseAddress: true),
            eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup.singleton), logger: quieter)
        do {
            try await application.run()
        } catch let error as IOError {
            throw TranslatorConfigurationError(
                key, "cannot listen on \(place): \(Errno(rawValue: error.errnoCode)); choose another place")
        }
    }
}
