import Foundation
import Hummingbird
import Logging
import NIOCore
import NIOPosix

/// Where commands and Prometheus ask.
enum TranslatorServer {
    /// Answers commands at a socket, which the owner of the process alone may write to.
    static func control(_ path: String, _ answers: TranslatorResponder, _ logger: Logger) async throws {
        let directory = (path as NSString).deletingLastPathComponent
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        } catch {
            throw TranslatorConfigurationError("control", "cannot make the directory \(directory): \(error)")
        }
        // What lies there is of a process that has ended: this one has got the device.
        unlink(path)
        defer { unlink(path) }
        try await serve(.unixDomainSocket(path: path), logger) { request in answers.answer(request) }
    }

    /// Serves metrics alone.
    static func metrics(_ host: String, _ port: Int, _ answers: TranslatorResponder, _ logger: Logger) async throws {
        try await serve(.hostname(host, port: port), logger) { request in
            request.uri.path == "/metrics" ? answers.answer(request) : answers.text(.notFound, "404 page not found\n")
        }
    }

    private static func serve(
        _ address: BindAddress, _ logger: Logger, _ answer: @escaping @Sendable (Request) -> Response
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
                "", "cannot listen on \(address): \(error); stop what uses it, or choose another place")
        }
    }
}
