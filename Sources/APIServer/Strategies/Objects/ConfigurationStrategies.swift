package import JSON
package import KubernetesAPI

/// What ConfigMaps and Secrets share.
enum ConfigurationRules {
    private static let sizeLimit = 1024 * 1024

    static func validate(_ object: JSONValue, maps: [String]) -> [FieldError] {
        var errors: [FieldError] = []
        var size = 0
        for map in maps {
            for (key, value) in object[map]?.object ?? [:] {
                let path = FieldPath(map)[key: key]
                errors += NameRules.configurationKey(key).map { .invalid(path, .string(key), $0) }
                size +=
                    value.string.map { map == "data" && maps.count > 1 ? $0.utf8.count : $0.utf8.count / 4 * 3 } ?? 0
            }
        }
        for key in object["data"]?.object?.keys ?? [] where object.at("binaryData", key) != nil {
            errors.append(
                .invalid(FieldPath("data")[key: key], .string(key), "duplicate of key present in binaryData"))
        }
        if size > sizeLimit {
            errors.append(.tooLong(FieldPath(maps.count > 1 ? "" : "data"), limit: sizeLimit))
        }
        return errors
    }

    /// What is wrong with a change of an object that says that it never changes.
    static func validateImmutable(_ object: JSONValue, _ old: JSONValue?, maps: [String]) -> [FieldError] {
        guard let old, old["immutable"] == true else { return [] }
        let text = "field is immutable when `immutable` is set"
        var errors: [FieldError] = object["immutable"] == true ? [] : [.forbidden("immutable", text)]
        for map in maps where (object[map] ?? [:]) != (old[map] ?? [:]) {
            errors.append(.forbidden(FieldPath(map), text))
        }
        return errors
    }
}

/// ConfigMaps.
package struct ConfigMapStrategy: ObjectStrategy {
    package let resource = Resource.configMaps

    package init() {}

    package func validate(_ object: JSONValue, replacing old: JSONValue?, _ subresource: String?) -> [FieldError] {
        let maps = ["data", "binaryData"]
        return ConfigurationRules.validate(object, maps: maps)
            + ConfigurationRules.validateImmutable(object, old, maps: maps)
    }
}

/// Secrets: `stringData` becomes part of `data`, and types demand keys.
package struct SecretStrategy: ObjectStrategy {
    private static let requiredKeys = [
        "kubernetes.io/tls": ["tls.crt", "tls.key"], "kubernetes.io/dockerconfigjson": [".dockerconfigjson"],
        "kubernetes.io/dockercfg": [".dockercfg"], "kubernetes.io/ssh-auth": ["ssh-privatekey"],
    ]

    package let resource = Resource.secrets

    package init() {}

    package func setDefaults(_ object: inout JSONValue) {
        for (key, value) in object["stringData"]?.object ?? [:] {
            object.set(.string(Base64.encode((value.string ?? "").utf8)), at: "data", key)
        }
        object["stringData"] = nil
        object.setDefault("type", "Opaque")
    }

    package func keep(_ object: inout JSONValue, of old: JSONValue, _ subresource: String?) {
        if object["type"] == nil {
            object["type"] = old["type"]
        }
    }

    package func validate(_ object: JSONValue, replacing old: JSONValue?, _ subresource: String?) -> [FieldError] {
        var errors = ConfigurationRules.validate(object, maps: ["data"])
        for key in Self.requiredKeys[object.text("type")] ?? [] where object.at("data", key) == nil {
            errors.append(.required(FieldPath("data")[key: key]))
        }
        if object.text("type") == "kubernetes.io/service-account-token" {
            let annotation = "kubernetes.io/service-account.name"
            if object.at("metadata", "annotations", annotation)?.string ?? "" == "" {
                errors.append(.required(FieldPath("metadata.annotations")[key: annotation]))
            }
        }
        if let old {
            errors += ValueRules.immutable(object["type"], old["type"], at: "type")
            errors += ConfigurationRules.validateImmutable(object, old, maps: ["data"])
        }
        return errors
    }
}
