import APIServer
import Addresses
import Foundation
import JSON
import KubernetesAPI
import Testing

/// Requests and answers recorded on Kubernetes 1.36 with the Service ranges 10.96.0.0/16 and fd00:10:96::/112; allocated
/// addresses and ports are masked.
struct RecordedServiceCase: Sendable {
    let name: String
    let steps: [JSONValue]
    let expected: [JSONValue]

    /// The cases of one kind of cluster, from `Tests/Recorded/service-<kind>.json.gz`.
    static func load(_ kind: String) throws -> [RecordedServiceCase] {
        let directory = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Recorded")
        let process = Process()
        process.executableURL = URL(filePath: "/bin/gzip")
        process.arguments = ["-dc", directory.appending(path: "service-\(kind).json.gz").path]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return try #require(try JSONValue(parsing: Array(data)).array).map {
            RecordedServiceCase(
                name: $0["name"]?.string ?? "", steps: $0["steps"]?.array ?? [],
                expected: ($0["expect"]?.array ?? []).map(RecordedOutcome.inOrder))
        }
    }
}

/// Plays recorded cases against a strategy, with a store of one Service.
struct RecordedServicePlayer {
    private let strategy: ServiceStrategy
    private let schema: SchemaNode
    private var stored: JSONValue?

    init(ranges: [IPPrefix]) throws {
        strategy = ServiceStrategy(network: ServiceNetwork(ranges: ranges, nodePorts: 30000...32767))
        schema = try #require(Schema.node(for: .services))
    }

    /// The outcomes of a case's steps; the store is empty before.
    mutating func play(_ steps: [JSONValue]) throws -> [JSONValue] {
        if let stored { strategy.didDelete(stored) }
        stored = nil
        return try steps.map { step in
            let verb = step[0]?.string ?? ""
            var body = step[1] ?? [:]
            if verb == "create" { return try write(body, replacing: nil, code: 201) }
            guard let current = stored else { return ["skipped": true] }
            if let end = body["clusterIPs"]?.string {
                let held = current.at("spec", "clusterIPs")?.array ?? []
                let chosen = end == "FIRST" ? held.first : held.last
                body["clusterIPs"] = .array(chosen.map { [$0] } ?? [])
                body["clusterIP"] = chosen ?? .null
            }
            var changed = current
            switch verb {
            case "merge": changed.mergePatch(["spec": body])
            default:
                if verb == "oldput" { body = ["clusterIPs": nil, "ipFamilies": nil, "ipFamilyPolicy": nil] }
                for (key, value) in body.object ?? [:] {
                    changed.set(value.isNull ? nil : value, at: "spec", key)
                }
            }
            return try write(changed, replacing: current, code: 200)
        }
    }

    private mutating func write(_ object: JSONValue, replacing old: JSONValue?, code: Int64) throws -> JSONValue {
        var object = object
        _ = try schema.decode(&object, kind: "Service")
        do throws(StatusError) {
            if let old {
                try strategy.admitUpdate(&object, replacing: old, AdmissionContext()).commit()
            } else {
                try strategy.admitCreate(&object, AdmissionContext()).commit()
            }
        } catch {
            return RecordedOutcome.of(error)
        }
        stored = object
        return RecordedOutcome.of(object, code: code)
    }
}

/// Outcomes in the form of the recording.
enum RecordedOutcome {
    private static let requested: Set<String> = ["10.96.0.50", "fd00:10:96::50", "10.96.0.51", "fd00:10:96::51"]
    private static let address = try? NSRegularExpression(
        pattern: #"(?<![\w.:])(?:\d+\.\d+\.\d+\.\d+|[0-9a-fA-F]*:[0-9a-fA-F:]+)(?![\w.:])"#)

    static func of(_ error: StatusError) -> JSONValue {
        let causes = (error.details?.causes ?? []).map { [$0.reason, $0.field ?? "", masked($0.message)] }
        return inOrder([
            "code": .integer(Int64(error.code)), "reason": .string(error.reason),
            "causes": .array(causes.map { .array($0.map { .string($0) }) }),
            "message": causes.isEmpty ? .string(masked(error.message)) : .null,
        ])
    }

    /// The outcome with its causes in a certain order, since their order means nothing.
    static func inOrder(_ outcome: JSONValue) -> JSONValue {
        guard let causes = outcome["causes"]?.array else { return outcome }
        var outcome = outcome
        outcome["causes"] = .array(causes.sorted { $0.text() < $1.text() })
        return outcome
    }

    static func of(_ object: JSONValue, code: Int64) -> JSONValue {
        var spec = object["spec"] ?? [:]
        if let ports = spec["ports"]?.array {
            spec["ports"] = .array(
                ports.map { port in
                    var port = port
                    if port["nodePort"] != nil { port["nodePort"] = "<port>" }
                    return port
                })
        }
        if spec["healthCheckNodePort"] != nil { spec["healthCheckNodePort"] = "<port>" }
        spec["clusterIP"] = spec["clusterIP"]?.string.map { .string(masked($0)) } ?? .null
        spec["clusterIPs"] =
            spec["clusterIPs"]?.array.map { .array($0.map { .string(masked($0.string ?? "")) }) } ?? .null
        return ["code": .integer(code), "spec": spec]
    }

    /// The text with addresses that nobody asked for replaced by their family.
    private static func masked(_ text: String) -> String {
        var result = text
        let all = address?.matches(in: text, range: NSRange(text.startIndex..., in: text)) ?? []
        for match in all.reversed() {
            guard let range = Range(match.range, in: text) else { continue }
            let found = String(text[range])
            guard let ip = IPAddress(found), !requested.contains(found), !requested.contains(ip.description) else {
                continue
            }
            result.replaceSubrange(range, with: "<v\(ip.family.rawValue)>")
        }
        return result
    }
}
