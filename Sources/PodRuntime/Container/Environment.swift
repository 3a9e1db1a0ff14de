package import KubernetesAPI

/// The environment of one container.
package struct Environment: Sendable {
    /// Names and values in the order in which they were defined; later definitions replace earlier ones in place.
    package private(set) var variables: [(name: String, value: String)] = []
    private var indices: [String: Int] = [:]

    /// Resolves all variables of a container.
    ///
    /// - Throws: `CreateContainerConfigError` when a key or an object that is not optional is missing.
    package init(
        container: Container, pod: DownwardAPI, sources: ConfigurationSources,
        services: [(name: String, value: String)]
    ) throws(PodActionFailure) {
        for variable in services {
            set(variable.name, variable.value)
        }
        for source in container.envFrom ?? [] {
            for (key, value) in try Self.pairs(source, sources).sorted(by: { $0.key < $1.key }) {
                set((source.prefix ?? "") + key, String(decoding: value, as: UTF8.self))
            }
        }
        for variable in container.env ?? [] {
            guard let source = variable.valueFrom else {
                set(variable.name, expand(variable.value ?? ""))
                continue
            }
            if let value = try Self.value(source, container, pod, sources) {
                set(variable.name, value)
            }
        }
    }

    /// Replaces `$(NAME)` by the value of a variable.
    package func expand(_ text: String) -> String {
        VariableExpansion.expand(text) { name in indices[name].map { variables[$0].value } }
    }

    private mutating func set(_ name: String, _ value: String) {
        if let index = indices[name] {
            variables[index].value = value
        } else {
            indices[name] = variables.count
            variables.append((name, value))
        }
    }

    private static func pairs(
        _ source: EnvFromSource, _ sources: ConfigurationSources
    ) throws(PodActionFailure) -> [String: [UInt8]] {
        if let reference = source.configMapRef {
            let name = reference.name ?? ""
            guard let data = sources.configMaps[name] else {
                guard reference.optional == true else { throw missing("configmap", name) }
                return [:]
            }
            return data
        }
        guard let reference = source.secretRef else { return [:] }
        let name = reference.name ?? ""
        guard let data = sources.secrets[name] else {
            guard reference.optional == true else { throw missing("secret", name) }
            return [:]
        }
        return data
    }

    private static func value(
        _ source: EnvVarSource, _ container: Container, _ pod: DownwardAPI, _ sources: ConfigurationSources
    ) throws(PodActionFailure) -> String? {
        if let field = source.fieldRef {
            guard let value = pod.field(field.fieldPath) else {
                throw invalid("unsupported fieldPath: \(field.fieldPath)")
            }
            return value
        }
        if let selector = source.resourceFieldRef {
            guard let value = pod.resource(selector, of: container.name) else {
                throw invalid("unsupported resource: \(selector.resource)")
            }
            return value
        }
        if let selector = source.configMapKeyRef {
            return try value("ConfigMap", selector, sources.configMaps)
        }
        guard let selector = source.secretKeyRef else { return nil }
        return try value("Secret", selector, sources.secrets)
    }

    private static func value(
        _ kind: String, _ selector: KeySelector, _ objects: [String: [String: [UInt8]]]
    ) throws(PodActionFailure) -> String? {
        let name = selector.name ?? ""
        if let value = objects[name]?[selector.key] {
            return String(decoding: value, as: UTF8.self)
        }
        guard selector.optional != true else { return nil }
        guard objects[name] != nil else { throw missing(kind.lowercased(), name) }
        throw invalid("couldn't find key \(selector.key) in \(kind) \(name)")
    }

    private static func missing(_ kind: String, _ name: String) -> PodActionFailure {
        invalid("\(kind) \"\(name)\" not found")
    }

    private static func invalid(_ message: String) -> PodActionFailure {
        PodActionFailure(reason: "CreateContainerConfigError", message: message)
    }
}
