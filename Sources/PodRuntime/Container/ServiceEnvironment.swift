import Addresses
package import KubernetesAPI

/// Environment variables that name Services, in the forms of Kubernetes and of container links.
package enum ServiceEnvironment {
    /// Variables for the Services of a namespace, and for `default/kubernetes` always.
    ///
    /// - Parameter includesNamespace: false leaves only `default/kubernetes` (`enableServiceLinks: false`).
    package static func variables(
        services: [Service], namespace: String, includesNamespace: Bool
    ) -> [(name: String, value: String)] {
        let api = services.filter { $0.namespace == "default" && $0.name == "kubernetes" }
        let own = includesNamespace ? services.filter { $0.namespace == namespace } : []
        let names = Set(own.map(\.name))
        return (api.filter { !names.contains($0.name) } + own)
            .sorted { $0.name < $1.name }
            .flatMap(variables(of:))
    }

    private static func variables(of service: Service) -> [(name: String, value: String)] {
        guard let ports = service.spec?.ports, let first = ports.first, let text = service.spec?.clusterIP,
            let address = IPAddress(text)
        else { return [] }
        let prefix = variableName(service.name)
        var result = [("\(prefix)_SERVICE_HOST", text), ("\(prefix)_SERVICE_PORT", String(first.port))]
        for port in ports {
            guard let name = port.name, !name.isEmpty else { continue }
            result.append(("\(prefix)_SERVICE_PORT_\(variableName(name))", String(port.port)))
        }
        for (index, port) in ports.enumerated() {
            let proto = port.protocol ?? "TCP"
            let url = "\(proto.lowercased())://\(address.uriHost):\(port.port)"
            if index == 0 {
                result.append(("\(prefix)_PORT", url))
            }
            let key = "\(prefix)_PORT_\(port.port)_\(proto.uppercased())"
            result += [
                (key, url), ("\(key)_PROTO", proto.lowercased()), ("\(key)_PORT", String(port.port)),
                ("\(key)_ADDR", text),
            ]
        }
        return result
    }

    private static func variableName(_ name: String) -> String {
        name.uppercased().replacing("-", with: "_")
    }
}
