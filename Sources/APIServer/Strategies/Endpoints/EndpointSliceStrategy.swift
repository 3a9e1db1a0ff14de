import Addresses
package import JSON
package import KubernetesAPI

/// EndpointSlices: addresses of one family each.
package struct EndpointSliceStrategy: ObjectStrategy {
    private static let endpointLimit = 1000
    private static let portLimit = 20000
    private static let addressLimit = 100
    private static let hintLimit = 8
    private static let topologyLimit = 16

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
        if !endpoint.text("nodeName").isEmpty {
            errors += NameRules.dnsSubdomain(endpoint.text("nodeName")).map {
                .invalid(path.child("nodeName"), .string(endpoint.text("nodeName")), $0)
            }
        }
        let topology = endpoint["deprecatedTopology"]
        let topologyPath = path.child("deprecatedTopology")
        if let count = topology?.object?.count, count > Self.topologyLimit {
            errors.append(.tooMany(topologyPath, count: count, limit: Self.topologyLimit))
        }
        errors += MetadataRules.labels(topology, at: topologyPath)
        for field in ["forZones", "forNodes"] {
            errors += validate(hints: endpoint.at("hints", field)?.array ?? [], at: path.child("hints").child(field))
        }
        return errors
    }

    private func validate(hints: [JSONValue], at path: FieldPath) -> [FieldError] {
        if hints.count > Self.hintLimit {
            return [.tooMany(path, count: hints.count, limit: Self.hintLimit)]
        }
        return hints.enumerated().flatMap { index, hint -> [FieldError] in
            let (name, namePath) = (hint.text("name"), path[index].child("name"))
            let repetition: [FieldError] =
                hints[..<index].contains { $0.text("name") == name } ? [.duplicate(namePath, .string(name))] : []
            return repetition + NameRules.labelValue(name).map { .invalid(namePath, .string(name), $0) }
        }
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
