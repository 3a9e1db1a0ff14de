package import JSON
package import KubernetesAPI

/// Endpoints of the core group.
package struct EndpointsStrategy: ObjectStrategy {
    package let resource = Resource.endpoints

    package init() {}

    package func setDefaults(_ object: inout JSONValue) {
        object.updateEach("subsets") { subset in
            subset.updateEach("ports") { $0.setDefault("protocol", "TCP") }
        }
    }

    package func validate(_ object: JSONValue, replacing old: JSONValue?, _ subresource: String?) -> [FieldError] {
        var errors: [FieldError] = []
        for (index, subset) in object.list("subsets").enumerated() {
            let path = FieldPath("subsets")[index]
            if subset.list("addresses").isEmpty, subset.list("notReadyAddresses").isEmpty {
                errors.append(.required(path, "must specify `addresses` or `notReadyAddresses`"))
            }
            for field in ["addresses", "notReadyAddresses"] {
                for (position, address) in subset.list(field).enumerated() {
                    errors += validate(address, at: path.child(field)[position])
                }
            }
            errors += EndpointPorts.validate(
                subset.list("ports"), at: path.child("ports"), needsNames: subset.list("ports").count > 1,
                needsNumbers: true)
        }
        return errors
    }

    private func validate(_ address: JSONValue, at path: FieldPath) -> [FieldError] {
        let text = address.text("ip")
        let syntax = AddressRules.address(text, at: path.child("ip"))
        var errors = syntax.isEmpty ? AddressRules.special(text, at: path.child("ip")) : syntax
        if !address.text("hostname").isEmpty {
            errors += NameRules.dnsLabel(address.text("hostname")).map {
                .invalid(path.child("hostname"), .string(address.text("hostname")), $0)
            }
        }
        return errors
    }
}

/// The ports of Endpoints and EndpointSlices.
enum EndpointPorts {
    static func validate(
        _ ports: [JSONValue], at path: FieldPath, needsNames: Bool, needsNumbers: Bool
    ) -> [FieldError] {
        var errors: [FieldError] = []
        var names: Set<String> = []
        for (index, port) in ports.enumerated() {
            let item = path[index]
            let name = port.text("name")
            if !name.isEmpty {
                errors += NameRules.dnsLabel(name).map { .invalid(item.child("name"), .string(name), $0) }
            } else if needsNames {
                errors.append(.required(item.child("name")))
            }
            if !needsNumbers, !names.insert(name).inserted {
                errors.append(.duplicate(item.child("name"), .string(name)))
            }
            if needsNumbers || port["port"] != nil {
                errors += NameRules.portNumber(port["port"]?.int ?? 0).map {
                    .invalid(item.child("port"), port["port"] ?? 0, $0)
                }
            }
            errors += PortRules.transport(port.text("protocol"), at: item.child("protocol"))
            if let text = port["appProtocol"]?.string {
                errors += NameRules.qualifiedName(text).map { .invalid(item.child("appProtocol"), .string(text), $0) }
            }
        }
        return errors
    }
}
