import APIServer
import Addresses
import JSON
import KubernetesAPI
import Testing

/// A Service, what a client changes of it, and what comes of that.
struct ServiceRow: Sendable, CustomTestStringConvertible {
    /// Kinds of clusters: families in order.
    var on = ["4", "6", "46", "64"]
    /// The spec that is created.
    var spec: String
    /// A merge patch of the spec; nil when the creation itself is looked at.
    var patch: String?
    /// Another one after it.
    var again: String?
    /// Fields of the spec afterwards; addresses that the server chose are `<4>` or `<6>`, ports `<port>`.
    var gives: String = "{}"
    /// The causes of a refusal of the last step.
    var refuses: [String] = []

    var testDescription: String {
        ([spec] + patches).joined(separator: " then ") + " on " + on.joined(separator: ", ")
    }

    private var patches: [String] { [patch, again].compactMap(\.self) }

    /// The Service ranges of a kind of cluster.
    static func ranges(_ cluster: String) -> [String] {
        cluster.map { $0 == "4" ? "10.96.0.0/16" : "fd00:10:96::/112" }
    }

    /// Plays the row on all of its clusters.
    func check() throws {
        for cluster in on {
            let harness = try StrategyHarness(.services, ranges: Self.ranges(cluster))
            var object: JSONValue = ["spec": ["type": "ExternalName"]]
            let refusals = harness.refusal {
                object = try harness.created(#"{"spec":\#(spec)}"#)
                for patch in patches { object = try harness.updated(object, #"{"spec":\#(patch)}"#) }
                return object
            }
            #expect(refusals == refuses, "on \(cluster)")
            // Whether it went well or not, what is held is what the Service says.
            #expect(harness.held == ServiceResources.claims(of: ServiceObject(object)), "on \(cluster)")
            guard refusals.isEmpty, refuses.isEmpty else { continue }
            let asked = ([spec] + patches).joined()
            for (field, value) in try JSONValue(text: gives).object ?? [:] {
                #expect(Self.masked(object.at("spec", field) ?? .null, asked) == value, "\(field) on \(cluster)")
            }
        }
    }

    /// The value with the server's own choices replaced.
    private static func masked(_ value: JSONValue, _ asked: String) -> JSONValue {
        switch value {
        case .string(let text):
            guard let address = IPAddress(text), !asked.contains(text) else { return value }
            return address.family == .ipv4 ? "<4>" : "<6>"
        case .array(let elements):
            return .array(
                elements.map { element in
                    var element = masked(element, asked)
                    if element["nodePort"] != nil { element["nodePort"] = "<port>" }
                    return element
                })
        default:
            return (value.int ?? 0) >= 30000 ? "<port>" : value
        }
    }
}
