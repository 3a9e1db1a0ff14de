import JSON
import KubernetesAPI

/// What `kubectl get pods` shows.
enum PodColumns {
    static let all: [TableColumn] = [
        .name,
        TableColumn("Ready", "Containers that are ready, and all of them.") { pod in
            let (ready, total) = readiness(pod)
            return "\(ready)/\(total)"
        },
        TableColumn("Status", "The state of the pod and its containers.") { PodState($0).text },
        TableColumn("Restarts", "How often containers were restarted, and when last.") { pod, now in
            .string(restarts(pod, now))
        },
        .age,
        TableColumn("IP", priority: 1, "The primary address.") { $0.at("status", "podIP")?.string.orNone ?? "<none>" },
        TableColumn("Node", priority: 1, "The node that runs it.") {
            $0.at("spec", "nodeName")?.string.orNone ?? "<none>"
        },
        TableColumn("Nominated Node", priority: 1, "The node that is being freed for it.") {
            $0.at("status", "nominatedNodeName")?.string.orNone ?? "<none>"
        },
        TableColumn("Readiness Gates", priority: 1, "Further conditions of readiness that hold.") { pod in
            let gates = (pod.at("spec", "readinessGates")?.array ?? []).compactMap { $0["conditionType"]?.string }
            guard !gates.isEmpty else { return "<none>" }
            return "\(gates.filter { pod.hasCondition($0) }.count)/\(gates.count)"
        },
    ]

    /// Long-running containers of the pod: the main ones and the init containers that keep running beside them.
    private static func readiness(_ pod: JSONValue) -> (ready: Int, total: Int) {
        let sidecars = Set(
            (pod.at("spec", "initContainers")?.array ?? [])
                .filter { $0["restartPolicy"]?.string == "Always" }.compactMap { $0["name"]?.string })
        let statuses =
            (pod.at("status", "containerStatuses")?.array ?? [])
            + (pod.at("status", "initContainerStatuses")?.array ?? []).filter {
                sidecars.contains($0["name"]?.string ?? "")
            }
        let total = (pod.at("spec", "containers")?.array?.count ?? 0) + sidecars.count
        return (statuses.filter { $0["ready"]?.bool ?? false && $0.at("state", "running") != nil }.count, total)
    }

    private static func restarts(_ pod: JSONValue, _ now: Timestamp) -> String {
        let statuses = pod.at("status", "containerStatuses")?.array ?? []
        let count = statuses.reduce(0) { $0 + ($1["restartCount"]?.int ?? 0) }
        let last = statuses.compactMap { $0.at("lastState", "terminated", "finishedAt")?.string }
            .compactMap { Timestamp($0) }.max()
        guard count > 0, let last else { return String(count) }
        return "\(count) (\(Age.text(seconds: Int(now.seconds - last.seconds))) ago)"
    }
}

/// The state of a pod in one word, as kubectl's users know it.
private struct PodState {
    let text: String

    init(_ pod: JSONValue) {
        var text = pod.at("status", "reason")?.string.orNone ?? pod.at("status", "phase")?.string ?? "Unknown"
        let gates = pod.at("spec", "schedulingGates")?.array ?? []
        if !gates.isEmpty, pod.at("spec", "nodeName") == nil { text = "SchedulingGated" }
        if let initializing = Self.initialization(pod) {
            text = initializing
        } else {
            text = Self.containers(pod) ?? text
        }
        if pod.isTerminating {
            if pod.at("status", "reason")?.string == "NodeLost" {
                text = "Unknown"
            } else if !["Succeeded", "Failed"].contains(pod.at("status", "phase")?.string) {
                text = "Terminating"
            }
        }
        self.text = text
    }

    /// The first init container that is not done; nil when all are.
    private static func initialization(_ pod: JSONValue) -> String? {
        let containers = pod.at("spec", "initContainers")?.array ?? []
        let sidecars = Set(
            containers.filter { $0["restartPolicy"]?.string == "Always" }.compactMap { $0["name"]?.string })
        for (index, status) in (pod.at("status", "initContainerStatuses")?.array ?? []).enumerated() {
            if let terminated = status.at("state", "terminated") {
                if terminated["exitCode"]?.int == 0 { continue }
                return "Init:" + reason(ofTerminated: terminated)
            }
            if sidecars.contains(status["name"]?.string ?? ""), status["started"]?.bool ?? false { continue }
            if let waiting = status.at("state", "waiting", "reason")?.string, !waiting.isEmpty,
                waiting != "PodInitializing"
            {
                return "Init:\(waiting)"
            }
            return "Init:\(index)/\(containers.count)"
        }
        return nil
    }

    private static func containers(_ pod: JSONValue) -> String? {
        var text: String?
        var isRunning = false
        for status in (pod.at("status", "containerStatuses")?.array ?? []).reversed() {
            if let waiting = status.at("state", "waiting", "reason")?.string, !waiting.isEmpty {
                text = waiting
            } else if let terminated = status.at("state", "terminated") {
                text = reason(ofTerminated: terminated)
            } else if status["ready"]?.bool ?? false, status.at("state", "running") != nil {
                isRunning = true
            }
        }
        if text == "Completed", isRunning { return pod.hasCondition("Ready") ? "Running" : "NotReady" }
        return text
    }

    private static func reason(ofTerminated state: JSONValue) -> String {
        if let reason = state["reason"]?.string, !reason.isEmpty { return reason }
        if let signal = state["signal"]?.int, signal != 0 { return "Signal:\(signal)" }
        return "ExitCode:\(state["exitCode"]?.int ?? 0)"
    }
}

extension JSONValue {
    /// True when the condition of `status.conditions` has status `True`.
    func hasCondition(_ type: String) -> Bool {
        (at("status", "conditions")?.array ?? []).contains {
            $0["type"]?.string == type && $0["status"]?.string == "True"
        }
    }
}

extension String? {
    /// The text, or nil when it is empty.
    var orNone: String? { flatMap { $0.isEmpty ? nil : $0 } }
}
