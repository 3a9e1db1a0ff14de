import JSON
import KubernetesAPI

extension ServiceObject {
    /// What is wrong with the ports, each by itself and as a list.
    func validatePorts() -> [FieldError] {
        let ports = ports
        var errors: [FieldError] = []
        var names: Set<String> = []
        var numbers: Set<[String]> = []
        var nodePorts: Set<[String]> = []
        for (index, port) in ports.enumerated() {
            let path = FieldPath("spec.ports")[index]
            errors += validate(port, at: path, needsName: ports.count > 1)
            if !port.name.isEmpty, !names.insert(port.name).inserted {
                errors.append(.duplicate(path.child("name"), .string(port.name)))
            }
            if port.nodePort != 0 {
                if type == "ClusterIP" {
                    errors.append(
                        .forbidden(path.child("nodePort"), "may not be used when `type` is 'ClusterIP'"))
                }
                if !nodePorts.insert([port.transport, "\(port.nodePort)"]).inserted {
                    errors.append(.duplicate(path.child("nodePort"), .integer(Int64(port.nodePort))))
                }
            }
            if !numbers.insert([port.transport, "\(port.port)"]).inserted {
                errors.append(
                    .duplicate(
                        path, ["protocol": .string(port.transport), "port": .integer(Int64(port.port))]))
            }
        }
        return errors
    }

    private func validate(_ port: ServicePortObject, at path: FieldPath, needsName: Bool) -> [FieldError] {
        var errors: [FieldError] = []
        if !port.name.isEmpty {
            errors += NameRules.dnsLabel(port.name).map { .invalid(path.child("name"), .string(port.name), $0) }
        } else if needsName {
            errors.append(.required(path.child("name")))
        }
        errors += NameRules.portNumber(port.port).map {
            .invalid(path.child("port"), .integer(Int64(port.port)), $0)
        }
        errors += PortRules.transport(port.transport, at: path.child("protocol"))
        errors += PortRules.numberOrName(port.json["targetPort"], at: path.child("targetPort"))
        if let name = port.json["appProtocol"]?.string {
            errors += NameRules.qualifiedName(name).map { .invalid(path.child("appProtocol"), .string(name), $0) }
        }
        return errors
    }
}
