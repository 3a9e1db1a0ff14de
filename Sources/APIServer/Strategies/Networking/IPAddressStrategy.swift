package import Addresses
package import JSON
package import KubernetesAPI

/// IPAddresses: an object for each address of the Service ranges that is in use (KEP-1880).
package struct IPAddressStrategy: ObjectStrategy {
    /// On an IPAddress: the family of its address.
    package static let familyLabel = "ipaddress.kubernetes.io/ip-family"
    /// On an IPAddress: who keeps it.
    package static let managerLabel = "ipaddress.kubernetes.io/managed-by"
    /// The value of that label for the addresses of Services.
    package static let manager = "ipallocator.k8s.io"

    package let resource = Resource.ipAddresses
    package let isFollowed = true
    private let network: ServiceNetwork

    /// Makes the strategy of a cluster.
    package init(network: ServiceNetwork) {
        self.network = network
    }

    /// The object that says that a Service holds an address, without what the server sets.
    package static func object(_ address: IPAddress, namespace: String, service: String) -> JSONValue {
        [
            "metadata": [
                "labels": [familyLabel: .string(address.family.name), managerLabel: .string(manager)]
            ],
            "spec": [
                "parentRef": [
                    "group": "", "resource": "services", "namespace": .string(namespace), "name": .string(service),
                ]
            ],
        ]
    }

    package func problems(withName name: String) -> [String] {
        guard let address = IPAddress(sloppy: name) else {
            return ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]
        }
        return address.description == name ? [] : ["must be in canonical form (\"\(address)\")"]
    }

    package func validate(_ object: JSONValue, replacing old: JSONValue?, _ subresource: String?) -> [FieldError] {
        let path: FieldPath = "spec.parentRef"
        let parent = object.at("spec", "parentRef")
        if let old, parent != old.at("spec", "parentRef") {
            return [.invalid(path, parent, "field is immutable")]
        }
        guard let parent, !parent.isNull else { return [.required(path)] }
        var errors: [FieldError] = []
        if !parent.text("group").isEmpty {
            errors += NameRules.dnsSubdomain(parent.text("group")).map {
                .invalid(path.child("group"), .string(parent.text("group")), $0)
            }
        }
        for field in ["resource", "name", "namespace"] {
            let text = parent.text(field)
            if text.isEmpty {
                if field != "namespace" { errors.append(.required(path.child(field))) }
            } else {
                errors += NameRules.pathSegment(text).map { .invalid(path.child(field), .string(text), $0) }
            }
        }
        return errors
    }

    package func reserve(_ object: JSONValue, _ context: AdmissionContext) -> Reservation {
        guard !context.isDryRun, let address = Self.address(of: object) else { return .none }
        let network = network
        guard network.update({ $0.addresses.note(address) }) else { return .none }
        return Reservation(rollback: { network.update { $0.addresses.forget(address) } })
    }

    package func recover(_ object: JSONValue) { didStore(object) }

    package func didStore(_ object: JSONValue) {
        guard let address = Self.address(of: object) else { return }
        _ = network.update { $0.addresses.note(address) }
    }

    package func didDelete(_ object: JSONValue) {
        guard let address = Self.address(of: object) else { return }
        network.update { $0.addresses.forget(address) }
    }

    private static func address(of object: JSONValue) -> IPAddress? {
        object.at("metadata", "name")?.string.flatMap { IPAddress($0) }
    }
}
