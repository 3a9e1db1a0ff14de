package import Addresses
package import JSON
package import KubernetesAPI

/// A Service as JSON, with its fields as Kubernetes' own types see them: a missing text is empty, a missing list too.
package struct ServiceObject: Sendable, Hashable {
    /// The whole object.
    package var json: JSONValue

    /// Wraps an object.
    package init(_ json: JSONValue) {
        self.json = json
    }

    /// `metadata.name`.
    package var name: String { json.at("metadata", "name")?.string ?? "" }

    /// `spec.type`.
    package var type: String {
        get { text("type") }
        set { set(newValue, "type") }
    }

    /// `spec.clusterIP`.
    package var clusterIP: String {
        get { text("clusterIP") }
        set { set(newValue, "clusterIP") }
    }

    /// `spec.clusterIPs`.
    package var clusterIPs: [String] {
        get { texts("clusterIPs") }
        set { set(newValue, "clusterIPs") }
    }

    /// `spec.ipFamilies`, which may hold what is no family before validation.
    package var ipFamilies: [String] {
        get { texts("ipFamilies") }
        set { set(newValue, "ipFamilies") }
    }

    /// `spec.ipFamilyPolicy`; nil when the client leaves the choice to the server.
    package var ipFamilyPolicy: String? {
        get { json.at("spec", "ipFamilyPolicy")?.string }
        set { json.set(newValue.map { .string($0) }, at: "spec", "ipFamilyPolicy") }
    }

    /// `spec.externalIPs`.
    package var externalIPs: [String] { texts("externalIPs") }

    /// `spec.externalTrafficPolicy`.
    package var externalTrafficPolicy: String {
        get { text("externalTrafficPolicy") }
        set { set(newValue, "externalTrafficPolicy") }
    }

    /// `spec.healthCheckNodePort`; 0 when there is none.
    package var healthCheckNodePort: Int {
        get { json.at("spec", "healthCheckNodePort")?.int ?? 0 }
        set { json.set(newValue == 0 ? nil : .integer(Int64(newValue)), at: "spec", "healthCheckNodePort") }
    }

    /// `spec.ports`.
    package var ports: [ServicePortObject] {
        get { json.at("spec", "ports")?.array?.map(ServicePortObject.init) ?? [] }
        set { json.set(newValue.isEmpty ? nil : .array(newValue.map(\.json)), at: "spec", "ports") }
    }

    /// Whether `spec.selector` chooses pods.
    package var hasSelector: Bool { json.at("spec", "selector")?.object?.isEmpty == false }

    /// A text of the spec, empty when missing.
    package func text(_ field: String) -> String { json.at("spec", field)?.string ?? "" }

    /// A list of texts of the spec, empty when missing.
    package func texts(_ field: String) -> [String] { json.at("spec", field)?.array?.map { $0.string ?? "" } ?? [] }

    /// Sets a text of the spec; an empty one is removed.
    package mutating func set(_ text: String, _ field: String) {
        json.set(text.isEmpty ? nil : .string(text), at: "spec", field)
    }

    /// Sets a list of texts of the spec; an empty one is removed.
    package mutating func set(_ texts: [String], _ field: String) {
        json.set(texts.isEmpty ? nil : .array(texts.map { .string($0) }), at: "spec", field)
    }
}

extension ServiceObject {
    /// The text that stands for no cluster IP.
    package static let none = "None"

    /// Whether clients reach the pods' own addresses only.
    package var isHeadless: Bool { clusterIPs == [Self.none] }

    /// Whether the type has cluster IPs.
    package var needsClusterIP: Bool { type != "ExternalName" }

    /// The cluster IPs that the Service holds, in their order.
    package var addresses: [IPAddress] {
        needsClusterIP ? clusterIPs.compactMap { IPAddress(sloppy: $0) } : []
    }

    /// Whether the type has node ports.
    package var needsNodePort: Bool { type == "NodePort" || type == "LoadBalancer" }

    /// Whether a load balancer asks the nodes for endpoints on a port of their own.
    package var needsHealthCheckNodePort: Bool { type == "LoadBalancer" && externalTrafficPolicy == "Local" }

    /// Whether clients outside the cluster reach it.
    package var isExternallyAccessible: Bool { needsNodePort || (type == "ClusterIP" && !externalIPs.isEmpty) }

    /// Whether ports without a requested node port get one.
    package var allocatesNodePorts: Bool {
        type == "NodePort"
            || (type == "LoadBalancer" && json.at("spec", "allocateLoadBalancerNodePorts")?.bool != false)
    }

    /// The cluster IPs as a value for error texts.
    package var clusterIPsValue: JSONValue { .array(clusterIPs.map { .string($0) }) }

    /// A refusal that names this Service.
    package func invalid(_ errors: [FieldError]) -> StatusError {
        .invalid(kind: "Service", group: "", name: name, causes: errors)
    }
}

/// One of a Service's ports as JSON.
package struct ServicePortObject: Sendable, Hashable {
    /// The port.
    package var json: JSONValue

    /// Wraps a port.
    package init(_ json: JSONValue) {
        self.json = json
    }

    /// `name`.
    package var name: String { json["name"]?.string ?? "" }

    /// `port`; 0 when missing.
    package var port: Int { json["port"]?.int ?? 0 }

    /// `protocol`.
    package var transport: String { json["protocol"]?.string ?? "" }

    /// `nodePort`; 0 when there is none.
    package var nodePort: Int {
        get { json["nodePort"]?.int ?? 0 }
        set { json["nodePort"] = newValue == 0 ? nil : .integer(Int64(newValue)) }
    }
}
