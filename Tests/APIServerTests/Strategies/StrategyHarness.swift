import APIServer
import Addresses
import JSON
import KubernetesAPI
import Testing

/// Plays writes against one strategy.
struct StrategyHarness {
    let strategy: any ResourceStrategy
    let resource: Resource

    init(
        _ resource: Resource, ranges: [String] = ["10.96.0.0/16", "fd00:10:96::/112"],
        defaultPolicy: String = ServiceFamilies.singleStack
    ) throws {
        let catalog = StrategyCatalog(
            serviceRanges: try ranges.map { try #require(IPPrefix($0)) }, nodePorts: 30000...32767,
            defaultFamilyPolicy: defaultPolicy)
        strategy = catalog[resource]
        self.resource = resource
    }

    /// The object as it would be stored; the name is `t` unless given.
    func created(_ text: String, isDryRun: Bool = false) throws -> JSONValue {
        var object = try JSONValue(text: text)
        if object.at("metadata", "name") == nil { object.set("t", at: "metadata", "name") }
        try strategy.admitCreate(&object, AdmissionContext(isDryRun: isDryRun)).commit()
        return object
    }

    /// The object as it would be stored after a merge patch.
    func updated(_ old: JSONValue, _ patch: String, subresource: String? = nil) throws -> JSONValue {
        var object = old
        object.mergePatch(try JSONValue(text: patch))
        try strategy.admitUpdate(&object, replacing: old, AdmissionContext(subresource: subresource)).commit()
        return object
    }

    /// The causes of a refusal as `field: text`, or its message without causes; empty when it was none.
    func refusal(_ body: () throws -> JSONValue) -> [String] {
        do {
            _ = try body()
            return []
        } catch let error as StatusError {
            let causes = error.details?.causes ?? []
            return causes.isEmpty ? [error.message] : causes.map { "\($0.field ?? ""): \($0.message)" }
        } catch {
            return ["\(error)"]
        }
    }
}
