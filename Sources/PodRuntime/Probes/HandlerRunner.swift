import Addresses
import AsyncHTTPClient
import CRI
import KubernetesAPI
import NIOCore
import NIOHTTP1
import NIOPosix

/// Why a probe or hook did not pass.
struct HandlerFailure: Error, Sendable {
    let message: String
}

/// Performs the actions of probes and lifecycle hooks.
struct HandlerRunner: Sendable {
    let context: PodContext
    let pod: Pod

    /// Performs one probe within its timeout.
    func run(_ probe: Probe, _ container: Container, _ id: String) async throws(HandlerFailure) {
        let timeout = max(1, probe.timeoutSeconds ?? 1)
        if let action = probe.exec {
            try await exec(action, id, timeout: timeout, what: "command")
        } else if let action = probe.httpGet {
            try await get(action, container, timeout: timeout)
        } else if let action = probe.tcpSocket {
            try await connect(action, container, timeout: timeout)
        } else {
            throw HandlerFailure(message: "the probe has no exec, httpGet or tcpSocket action")
        }
    }

    /// Performs a lifecycle hook.
    func run(_ hook: LifecycleHandler, _ container: Container, _ id: String) async throws(HandlerFailure) {
        if let action = hook.exec {
            try await exec(action, id, timeout: 0, what: "Exec lifecycle hook")
        } else if let action = hook.httpGet {
            try await get(action, container, timeout: 30)
        } else if let action = hook.tcpSocket {
            try await connect(action, container, timeout: 30)
        } else if let sleep = hook.sleep {
            try? await Task.sleep(for: .seconds(sleep.seconds))
        }
    }

    private func exec(_ action: ExecAction, _ id: String, timeout: Int, what: String) async throws(HandlerFailure) {
        do throws(RuntimeError) {
            let answer = try await context.runtime.exec(id, action.command ?? [], timeout: timeout)
            guard answer.exitCode != 0 else { return }
            let output = String(decoding: answer.stdout.prefix(2048) + answer.stderr.prefix(2048), as: UTF8.self)
            throw RuntimeError(
                operation: what, isNotFound: false, message: output.isEmpty ? "exit code \(answer.exitCode)" : output)
        } catch {
            throw HandlerFailure(message: error.message)
        }
    }

    private func get(_ action: HTTPGetAction, _ container: Container, timeout: Int) async throws(HandlerFailure) {
        let scheme = (action.scheme ?? "HTTP").lowercased()
        let host = try host(action.host)
        let port = try port(action.port, container)
        let path = action.path ?? "/"
        let url = "\(scheme)://\(host):\(port)\(path.hasPrefix("/") ? path : "/" + path)"
        var request = HTTPClientRequest(url: url)
        request.headers.add(name: "User-Agent", value: "kube-probe/1.33")
        request.headers.add(name: "Accept", value: "*/*")
        request.headers.add(name: "Connection", value: "close")
        for header in action.httpHeaders ?? [] {
            request.headers.replaceOrAdd(name: header.name, value: header.value)
        }
        let status: UInt
        do {
            let response = try await context.http.execute(request, timeout: .seconds(Int64(timeout)))
            status = response.status.code
            // The body is not needed; ending the iteration closes the connection.
            for try await _ in response.body { break }
        } catch let error as HTTPClientError where error == .deadlineExceeded || error == .connectTimeout {
            throw HandlerFailure(message: "Get \"\(url)\": no answer within \(timeout) s")
        } catch {
            throw HandlerFailure(message: "Get \"\(url)\": \(error)")
        }
        guard 200..<400 ~= status else {
            throw HandlerFailure(message: "HTTP probe failed with statuscode: \(status)")
        }
    }

    private func connect(
        _ action: TCPSocketAction, _ container: Container, timeout: Int
    ) async throws(HandlerFailure) {
        let port = try port(action.port, container)
        let host = action.host.flatMap { $0.isEmpty ? nil : $0 } ?? pod.addresses.first ?? ""
        do {
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(.seconds(Int64(timeout)))
                .connect(host: host, port: port).get()
            try await channel.close()
        } catch let error as ChannelError where error == .alreadyClosed {
            return
        } catch {
            throw HandlerFailure(message: "dial tcp \(host):\(port): \(error)")
        }
    }

    private func host(_ named: String?) throws(HandlerFailure) -> String {
        if let named, !named.isEmpty { return IPAddress(named)?.uriHost ?? named }
        guard let address = pod.addresses.first.flatMap({ IPAddress($0) }) else {
            throw HandlerFailure(message: "the pod has no address yet")
        }
        return address.uriHost
    }

    private func port(_ port: IntOrString, _ container: Container) throws(HandlerFailure) -> Int {
        switch port {
        case .int(let number):
            return number
        case .string(let name):
            guard let found = container.ports?.first(where: { $0.name == name })?.containerPort ?? Int(name) else {
                throw HandlerFailure(message: "container \"\(container.name)\" has no port named \"\(name)\"")
            }
            return found
        }
    }
}
