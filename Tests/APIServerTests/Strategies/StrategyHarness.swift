import APIServer
import Addresses
import JSON
import KubernetesAPI
import Testing

/// Plays writes against one strategy.
struct StrategyHarness {
    /// A store with nothing but the account that pods need.
    private static let lookup = ObjectLookup { resource, _, name in
        resource == .serviceAccounts && name == "default" ? ["metadata": ["name": "default"]] : nil
    }

    let strategy: any ResourceStrategy
    let resource: Resource
    private let network: ServiceNetwork

    init(
        _ resource: Resource, ranges: [String] = ["10.96.0.0/16", "fd00:10:96::/112"],
        nodePorts: ClosedRange<Int> = 30000...32767, defaultPolicy: String = ServiceFamilies.singleStack
    ) throws {
        let catalog = StrategyCatalog(
            serviceRanges: try ranges.map { try #require(IPPrefix($0)) }, nodePorts: nodePorts,
            defaultFamilyPolicy: defaultPolicy)
        strategy = catalog[resource]
        network = catalog.network
        self.resource = resource
    }

    /// The addresses and ports that are in use.
    var held: Set<ServiceResources.Claim> { network.state.held }

    /// The object as it would be stored; the name is `t` unless given.
    func created(_ text: String, isDryRun: Bool = false) throws -> JSONValue {
        var object = try JSONValue(text: text)
        if object.at("metadata", "name") == nil { object.set("t", at: "metadata", "name") }
        try strategy.admitCreate(&object, AdmissionContext(isDryRun: isDryRun, lookup: Self.lookup)).commit()
        return object
    }

    /// A pod of one container, as it would be stored; further fields as JSON text without braces.
    func pod(_ spec: String = "", container: String = "") throws -> JSONValue {
        let more = container.isEmpty ? "" : ",\(container)"
        // The volume of the token has a random name.
        let rest = #","automountServiceAccountToken":false"# + (spec.isEmpty ? "" : ",\(spec)")
        return try created(#"{"spec":{"containers":[{"name":"c","image":"i"\#(more)}]\#(rest)}}"#)
    }

    /// The object as it would be stored after a merge patch.
    func updated(_ old: JSONValue, _ patch: String, subresource: String? = nil) throws -> JSONValue {
        var object = old
        object.mergePatch(try JSONValue(text: patch))
        try strategy.admitUpdate(
            &object, replacing: old, AdmissionContext(subresource: subresource, lookup: Self.lookup)
        ).commit()
        return object
    }

    /// The causes of a refusal as `field: text`, or its message where it names no fields; empty when it was none.
    func refusal(_ body: () throws -> JSONValue) -> [String] {
        do {
            _ = try body()
            return []
        } catch let error as StatusError {
            let causes = (error.details?.causes ?? []).filter { $0.field != nil }
            return causes.isEmpty ? [error.message] : causes.map { "\($0.field ?? ""): \($0.message)" }
        } catch {
            return ["\(error)"]
        }
    }
}
