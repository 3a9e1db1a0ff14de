import Addresses
package import JSON
package import KubernetesAPI

/// EndpointSlices: addresses of one family each.
package struct EndpointSliceStrategy: ObjectStrategy {
    private static let endpointLimit = 1000
    private static let portLimit = 20000
    private static let addressLimit = 100
    private static let hintLimit = 8

    package let resource = Resource.endpointSlices

    package init() {}

    package func setDefaults(_ object: inout JSONValue) {
        object.setDefault("endpoints", [])
        object.setDefault("ports", [])
        object.updateEach("ports") { port in
            port.setDefault("name", "")
            port.setDefault("protocol", "TCP")
        }
    }

    package func validate(_ object: JSONValue, replacing old: JSONValue?, _ subresource: String?) -> [FieldError] {
        var errors = ValueRules.oneOf(object.text("addressType"), ["FQDN", "IPv4", "IPv6"], at: "addressType")
        if let old {
            errors += ValueRules.immutable(object["addressType"], old["addressType"], at: "addressType")
        }
        let endpoints = object.list("endpoints")
        if endpoints.count > Self.endpointLimit {
            errors.append(.tooMany("endpoints", count: endpoints.count, limit: Self.endpointLimit))
        }
        for (index, endpoint) in endpoints.enumerated() {
            errors += validate(endpoint, of: object.text("addressType"), at: FieldPath("endpoints")[index])
        }
        let ports = object.list("ports")
        if ports.count > Self.portLimit {
            errors.append(.tooMany("ports", count: ports.count, limit: Self.portLimit))
        }
        return errors + EndpointPorts.validate(ports, at: "ports", needsNames: false, needsNumbers: false)
    }

    private func validate(_ endpoint: JSONValue, of type: String, at path: FieldPath) -> [FieldError] {
        let addresses = endpoint.list("addresses")
        let addressesPath = path.child("addresses")
        var errors: [FieldError] = []
        if addresses.isEmpty {
            errors.append(.required(addressesPath, "must contain at least 1 address"))
        } else if addresses.count > Self.addressLimit {
            errors.append(.tooMany(addressesPath, count: addresses.count, limit: Self.addressLimit))
        }
        for (index, address) in addresses.enumerated() {
            errors += validate(address.string ?? "", of: type, at: addressesPath[index])
        }
        if !endpoint.text("hostname").isEmpty {
            errors += NameRules.dnsLabel(endpoint.text("hostname")).map {
                .invalid(path.child("hostname"), .string(endpoint.text("hostname")), $0)
            }
        }
        for field in ["forZones", "forNodes"] {
            let hints = endpoint.at("hints", field)?.array ?? []
            let hintsPath = path.child("hints").child(field)
            if hints.count > Self.hintLimit {
                errors.append(.tooMany(hintsPath, count: hints.count, limit: Self.hintLimit))
            }
            for (index, hint) in hints.enumerated() where hints[..<index].contains(hint) {
                errors.append(.duplicate(hintsPath[index].child("name"), hint["name"] ?? ""))
            }
        }
        return errors
    }

    private func validate(_ text: String, of type: String, at path: FieldPath) -> [FieldError] {
        guard let family = IPFamily(name: type) else {
            return type == "FQDN" ? NameRules.dnsSubdomain(text).map { .invalid(path, .string(text), $0) } : []
        }
        let syntax = AddressRules.address(text, at: path)
        if !syntax.isEmpty { return syntax }
        guard IPAddress(sloppy: text)?.family == family else {
            return [.invalid(path, .string(text), "must be a valid \(family.name) address")]
        }
        return AddressRules.special(text, at: path)
    }
}
