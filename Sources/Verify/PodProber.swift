internal import Addresses
internal import KubernetesClient

/// Makes requests inside containers, by commands that the API server passes on to their nodes.
struct PodProber: Prober {
    let client: KubernetesClient
    let timeoutSeconds: Int

    func resolve(_ name: String, _ family: IPFamily, from: Probe.VantagePoint) async throws -> Set<IPAddress> {
        let output = try await run(PodCommand.lookUp(name, family, timeout: timeoutSeconds), at: from)
        return PodCommand.addresses(inLookUp: output)
    }

    func request(
        _ request: Probe.Request, to address: IPAddress, port: UInt16, from: Probe.VantagePoint
    ) async throws {
        let command = PodCommand.request(request, to: address, port: port, timeout: timeoutSeconds)
        let output = try await run(command, at: from)
        if case .query = request, PodCommand.addresses(inLookUp: output).isEmpty {
            throw ProbeFailure("\(address) answers the query without an address")
        }
    }

    private func run(_ command: String, at from: Probe.VantagePoint) async throws -> String {
        guard case .pod(let pod) = from else { throw ProbeFailure("\(from) is no pod") }
        return try await client.requestText(
            .post, path: "/api/v1/nodes/\(pod.node)/proxy/run/\(pod.namespace)/\(pod.pod)/\(pod.container)",
            query: [("cmd", command)])
    }
}
