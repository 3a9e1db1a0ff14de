package import JSON
package import KubernetesAPI

/// What workloads do with their templates, on the JSON form so that no field is lost.
package enum PodTemplate {
    /// A pod of the template, named after its owner and controlled by it.
    package static func pod(
        from template: JSONValue, owner: some KubernetesObject, labels: [String: String] = [:]
    ) throws -> JSONValue {
        var metadata: JSONValue = [
            "generateName": .string("\(owner.name)-"), "namespace": .string(owner.namespace),
            "ownerReferences": [try JSONValueEncoder().encode(owner.controllerReference)],
        ]
        for field in ["labels", "annotations", "finalizers"] {
            metadata[field] = template.at("metadata", field)
        }
        for (key, value) in labels {
            metadata.set(.string(value), at: "labels", key)
        }
        return [
            "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"] ?? [:],
        ]
    }

    /// True when two templates make the same pods; the hash label and absent fields written as null do not count.
    package static func areEqual(_ left: JSONValue?, _ right: JSONValue?) -> Bool {
        normalized(left) == normalized(right)
    }

    /// A short hash of a template and the number of collisions so far, in letters that make no words.
    package static func hash(_ template: JSONValue?, collisions: Int?) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in normalized(template).text(sortedKeys: true).utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
        }
        if let collisions {
            hash = (hash ^ UInt64(collisions)) &* 0x100_0000_01b3
        }
        let letters = Array("bcdfghjklmnpqrstvwxz2456789")
        var text = ""
        for _ in 0..<10 {
            text.append(letters[Int(hash % UInt64(letters.count))])
            hash /= UInt64(letters.count)
        }
        return text
    }

    private static func normalized(_ template: JSONValue?) -> JSONValue {
        var template = withoutNulls(template ?? .null)
        template.set(nil, at: "metadata", "labels", WellKnownLabel.podTemplateHash)
        return template
    }

    private static func withoutNulls(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(let object):
            var result = JSONObject()
            for (key, member) in object where !member.isNull {
                result[key] = withoutNulls(member)
            }
            return .object(result)
        case .array(let items):
            return .array(items.map(withoutNulls))
        default:
            return value
        }
    }
}
