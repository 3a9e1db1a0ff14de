import Foundation
import HummingbirdCore
import KubernetesAPI

/// What the server tells about itself at `/metrics`, under the names that Kubernetes' own has (Prometheus text format 0.0.4).
struct MetricsDocument {
    /// The media type of the text.
    static let type = "text/plain; version=0.0.4; charset=utf-8"

    private var lines: [String] = []

    init(_ store: Store, _ counters: RequestCounters) {
        add("apiserver_request_total", "counter", "Requests for resources by verb, resource and status code.")
        for (key, count) in counters.all {
            let resource = store.definitions[key.index].resource
            lines.append(
                "apiserver_request_total{code=\"\(key.code)\",group=\"\(resource.group)\","
                    + "resource=\"\(resource.plural)\",verb=\"\(key.verb.rawValue)\",version=\"\(resource.version)\"} "
                    + "\(count)")
        }
        add("apiserver_storage_objects", "gauge", "Objects that are stored.")
        for (index, definition) in store.definitions.enumerated() where definition.review == nil {
            let count = store.snapshot(index).tree.count
            lines.append("apiserver_storage_objects{resource=\"\(definition.resource.qualifiedName)\"} \(count)")
        }
        add("duet_storage_revision", "counter", "The newest resource version.")
        lines.append("duet_storage_revision \(store.revision)")
        process()
    }

    /// The text.
    var text: String { lines.joined(separator: "\n") + "\n" }

    private mutating func process() {
        let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)).map { $0.split(separator: " ") }
        if let pages, pages.count > 1, let resident = Int(pages[1]) {
            add("process_resident_memory_bytes", "gauge", "Resident memory.")
            lines.append("process_resident_memory_bytes \(resident * sysconf(Int32(_SC_PAGESIZE)))")
        }
        if let open = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count {
            add("process_open_fds", "gauge", "Open descriptors.")
            lines.append("process_open_fds \(open)")
        }
    }

    private mutating func add(_ name: String, _ kind: String, _ help: String) {
        lines.append("# HELP \(name) \(help)")
        lines.append("# TYPE \(name) \(kind)")
    }
}
