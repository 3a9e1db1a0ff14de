internal import JSON

/// What a load balancer learns of a Service on this node and one family, at the Service's health-check node port.
package struct HealthCheck: Hashable, Sendable {
    package let service: ServiceName
    /// How many endpoints of the node are ready for new connections.
    package let localEndpoints: Int

    package init(service: ServiceName, localEndpoints: Int) {
        self.service = service
        self.localEndpoints = localEndpoints
    }

    /// The answer; a node without a ready endpoint takes itself out of the balancer's list.
    package func answer(proxyIsHealthy: Bool) -> HealthAnswer {
        let body: JSONValue = .object([
            "service": .object(["namespace": .string(service.namespace), "name": .string(service.name)]),
            "localEndpoints": .integer(Int64(localEndpoints)), "serviceProxyHealthy": .bool(proxyIsHealthy),
        ])
        return HealthAnswer(
            isHealthy: localEndpoints > 0 && proxyIsHealthy,
            headers: [("X-Load-Balancing-Endpoint-Weight", "\(localEndpoints)")], body: body)
    }
}

/// An answer to a health check: 200 or 503, with a body that says why.
package struct HealthAnswer: Sendable {
    package let isHealthy: Bool
    let headers: [(name: String, value: String)]
    let text: String

    init(isHealthy: Bool, headers: [(name: String, value: String)] = [], body: JSONValue) {
        self.isHealthy = isHealthy
        self.headers = headers + [("Content-Type", "application/json")]
        text = body.text(pretty: true) + "\n"
    }

    /// Figures in Prometheus' text format.
    init(metrics: String) {
        isHealthy = true
        headers = [("Content-Type", "text/plain; version=0.0.4; charset=utf-8")]
        text = metrics
    }
}

extension ServiceProxyModel {
    /// The health checks of this family by node port, as of the last events.
    /// - Complexity: O(n) in the number of endpoints of Services that have such a port.
    package var healthChecks: [UInt16: HealthCheck] {
        var checks: [UInt16: HealthCheck] = [:]
        for name in checkedServices.sorted() {
            guard let port = services[name]?.healthCheckPort, checks[port] == nil else { continue }
            let local = endpoints(of: name).flatMap(\.endpoints).filter {
                $0.nodeName == nodeName && $0.isReady && !$0.isTerminating
            }
            checks[port] = HealthCheck(service: name, localEndpoints: Set(local.map(\.address)).count)
        }
        return checks
    }
}
