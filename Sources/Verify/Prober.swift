package import Addresses

/// Makes the requests of probes from one kind of place.
package protocol Prober: Sendable {
    /// The addresses of a name in a family, by the cluster's DNS.
    func resolve(_ name: String, _ family: IPFamily, from: Probe.VantagePoint) async throws -> Set<IPAddress>
    /// Returns when `address` answered the request; throws when it did not.
    func request(
        _ request: Probe.Request, to address: IPAddress, port: UInt16, from: Probe.VantagePoint
    ) async throws
}

extension Prober {
    /// Makes the request or requests of a probe.
    ///
    /// A name must resolve to the expected addresses, and each of them must answer.
    package func perform(_ probe: Probe) async -> ProbeResult {
        let clock = ContinuousClock()
        let start = clock.now
        var outcome = ProbeResult.Outcome.answered
        do {
            for address in try await addresses(of: probe) {
                try await request(probe.request, to: address, port: probe.port, from: probe.from)
            }
        } catch {
            outcome = .failed("\(error)")
        }
        return ProbeResult(probe: probe, outcome: outcome, latency: start.duration(to: clock.now))
    }

    private func addresses(of probe: Probe) async throws -> [IPAddress] {
        switch probe.target {
        case .clusterIP(let address), .nodePort(_, let address):
            return [address]
        case .name(let name, let expected):
            let found = try await resolve(name, probe.family, from: probe.from)
            guard found == expected else {
                throw ProbeFailure("\(name) resolves to \(Self.list(found)), not \(Self.list(expected))")
            }
            return found.sorted()
        }
    }

    private static func list(_ addresses: Set<IPAddress>) -> String {
        addresses.isEmpty ? "nothing" : addresses.sorted().map(\.description).joined(separator: ", ")
    }
}
