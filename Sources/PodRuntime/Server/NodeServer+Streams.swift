import Foundation
import HTTPTypes
import Hummingbird
import KubernetesAPI
import Streaming

extension NodeServer {
    /// `/exec/{namespace}/{pod}/{container}?command=…`: runs a command with its streams.
    func exec(
        _ namespace: String, _ name: String, _ container: String, _ request: Request, _ connection: NodeRequestContext
    ) async throws -> Response {
        guard let worker = await manager.worker(namespace: namespace, name: name) else { return Self.noPod }
        guard let instance = await worker.instance(of: container, previous: false), instance.state == .running else {
            return .text(.internalServerError, "container not found (\"\(container)\")")
        }
        guard let streams = Self.streams(request) else { return Self.noStream }
        let command = request.uri.queryParameters.filter { $0.key == "command" }.map { String($0.value) }
        return try await relay(request, connection) { () async throws(RuntimeError) in
            try await context.runtime.exec(instance.id, command, streams)
        }
    }

    /// `/attach/{namespace}/{pod}/{container}`: the streams of the container's main process.
    func attach(
        _ namespace: String, _ name: String, _ container: String, _ request: Request, _ connection: NodeRequestContext
    ) async throws -> Response {
        guard let worker = await manager.worker(namespace: namespace, name: name) else { return Self.noPod }
        guard let instance = await worker.instance(of: container, previous: false), instance.state == .running else {
            return .text(.internalServerError, "container \(container) not found in pod \(name)_\(namespace)")
        }
        guard var streams = Self.streams(request) else { return Self.noStream }
        // Whether there is a terminal was decided when the container was made.
        let containers = await worker.pod.spec?.allContainers ?? []
        streams.tty = containers.first { $0.name == container }?.tty ?? false
        streams.stderr = streams.stderr && !streams.tty
        return try await relay(request, connection) { () async throws(RuntimeError) in
            try await context.runtime.attach(instance.id, streams)
        }
    }

    /// `/portForward/{namespace}/{pod}`: connections to the pod's own loopback addresses.
    func portForward(
        _ namespace: String, _ name: String, _ request: Request, _ connection: NodeRequestContext
    ) async throws -> Response {
        guard let worker = await manager.worker(namespace: namespace, name: name) else { return Self.noPod }
        guard let sandbox = await worker.machine.runtime.sandboxes.first(where: \.isReady) else {
            return .text(.internalServerError, "pod not found (\"\(name)_\(namespace)\")")
        }
        let ports = request.uri.queryParameters["port"]?.split(separator: ",").compactMap { Int32($0) } ?? []
        return try await relay(request, connection) { () async throws(RuntimeError) in
            try await context.runtime.portForward(sandbox: sandbox.id, ports: ports)
        }
    }

    private static let noPod = Response.text(.notFound, "pod does not exist")
    private static let noStream = Response.text(
        .badRequest, "you must specify at least 1 of stdin, stdout, stderr")

    private static func streams(_ request: Request) -> ContainerStreams? {
        let query = request.uri.queryParameters
        return ContainerStreams { query[Substring($0)].map { String($0) } }
    }

    /// Makes the client's connection one with the runtime's streaming server.
    private func relay(
        _ request: Request, _ connection: NodeRequestContext, to prepare: () async throws(RuntimeError) -> String
    ) async throws -> Response {
        guard request.headers[.upgrade] != nil else { return .text(.badRequest, "Upgrade request required") }
        let text: String
        do throws(RuntimeError) {
            text = try await prepare()
        } catch {
            return .text(error.isNotFound ? .notFound : .internalServerError, error.message)
        }
        guard let url = URLComponents(string: text), let host = url.host, let port = url.port else {
            return .text(.internalServerError, "the runtime's streaming URL cannot be used: \(text)")
        }
        let target = url.percentEncodedPath + (url.percentEncodedQuery.map { "?\($0)" } ?? "")
        do throws(UpgradeError) {
            return try await UpgradeRequest(of: request, host: host, port: port, target: target)
                .response(for: connection.channel)
        } catch {
            return .text(.internalServerError, "the runtime's streaming server: \(error)")
        }
    }
}
