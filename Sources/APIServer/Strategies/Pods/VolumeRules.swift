import JSON
import KubernetesAPI

/// What is wrong with the volumes of a pod.
enum VolumeRules {
    /// - Returns: The names of the volumes.
    static func validate(_ volumes: [JSONValue], at path: FieldPath, _ errors: inout [FieldError]) -> Set<String> {
        var names: Set<String> = []
        for (index, volume) in volumes.enumerated() {
            let item = path[index]
            errors += ValueRules.uniqueLabel(volume.text("name"), at: item.child("name"), &names)
            let sources = (volume.object?.keys ?? []).filter { $0 != "name" }
            if sources.isEmpty {
                errors.append(.required(item, "must specify a volume type"))
            }
            for source in sources.dropFirst() {
                errors.append(.forbidden(item.child(source), "may not specify more than 1 volume type"))
            }
            errors += required(volume, at: item)
            if let source = volume["downwardAPI"] {
                errors += FieldReferenceRules.validateFiles(source, at: item.child("downwardAPI"))
            }
            for (position, source) in (volume.at("projected", "sources")?.array ?? []).enumerated() {
                guard let files = source["downwardAPI"] else { continue }
                errors += FieldReferenceRules.validateFiles(
                    files, at: item.child("projected").child("sources")[position].child("downwardAPI"))
            }
        }
        return names
    }

    private static func required(_ volume: JSONValue, at path: FieldPath) -> [FieldError] {
        let fields = [
            ("configMap", "name"), ("secret", "secretName"), ("hostPath", "path"),
            ("persistentVolumeClaim", "claimName"),
        ]
        return fields.filter { volume[$0.0]?.object != nil && volume[$0.0]?.text($0.1).isEmpty == true }.map {
            .required(path.child($0.0).child($0.1))
        }
    }
}
