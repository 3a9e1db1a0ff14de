import JSON
import KubernetesAPI
import Streaming

/// A subresource of a pod that is a conversation with one of its processes or ports.
enum PodStream: String {
    /// A new process in a container.
    case exec
    /// The main process of a container.
    case attach
    /// Connections to the pod's ports.
    case portForward = "portforward"

    /// What the pod's node is asked for: path and query.
    ///
    /// - Throws: when the pod has no such container, or several and none is named.
    func target(_ pod: JSONValue, _ call: APIHandler.Call) throws(StatusError) -> String {
        let parent = "\(call.key.namespace)/\(call.key.name)"
        switch self {
        case .exec, .attach:
            let container = try PodContainers(pod).chosen(call.query["container"])
            var parameters = self == .exec ? call.query.all("command").map { ("command", $0) } : []
            for (name, option) in [("input", "stdin"), ("output", "stdout"), ("error", "stderr"), ("tty", "tty")]
            where call.query.flag(option) {
                parameters.append((name, "1"))
            }
            return "/\(rawValue)/\(parent)/\(container)" + Query.text(parameters)
        case .portForward:
            let ports = call.query.all("ports").joined(separator: ",")
            return "/portForward/\(parent)" + Query.text(ports.isEmpty ? [] : [("port", ports)])
        }
    }
}

/// The containers that a pod names.
struct PodContainers {
    private let pod: String
    private let initial: [String]
    private let main: [String]
    private let ephemeral: [String]

    init(_ pod: JSONValue) {
        func names(_ list: String) -> [String] {
            pod.at("spec", list)?.array?.compactMap { $0["name"]?.string } ?? []
        }
        self.pod = pod.at("metadata", "name")?.string ?? ""
        initial = names("initContainers")
        main = names("containers")
        ephemeral = names("ephemeralContainers")
    }

    /// The container that is meant: the one asked for, or the only one.
    func chosen(_ wanted: String?) throws(StatusError) -> String {
        let all = initial + main + ephemeral
        guard let wanted, !wanted.isEmpty else {
            guard main.count != 1 else { return main[0] }
            throw .badRequest(
                "a container name must be specified for pod \(pod), choose one of: [\(all.joined(separator: " "))]")
        }
        guard all.contains(wanted) else {
            throw .badRequest("container \(wanted) is not valid for pod \(pod)")
        }
        return wanted
    }
}
