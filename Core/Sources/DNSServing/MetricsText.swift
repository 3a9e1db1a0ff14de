import Addresses
import DNSResolution

/// What a server tells about itself, in the Prometheus text format 0.0.4.
public struct MetricsText {
    /// The media type of the text.
    public static let type = "text/plain; version=0.0.4; charset=utf-8"

    /// The text.
    public private(set) var text = ""

    /// Describes a server as of now.
    public init(_ state: DNSServerState) {
        add("duet_dns_answers_total", "counter", "Answers by the client's family, type, outcome and source.")
        state.metrics.forEach { family, type, outcome, source, count in
            text += "duet_dns_answers_total{family=\"\(family)\",outcome=\"\(outcome)\",source=\"\(source)\","
            text += "type=\"\(type)\"} \(count)\n"
        }
        add(
            "duet_dns_missing_family_total", "counter",
            "Names most often asked for in a family that they lack; an upper bound.")
        for entry in state.metrics.frequentlyMissing {
            text += "duet_dns_missing_family_total{family=\"\(entry.family)\",name=\"\(escaped("\(entry.name)"))\"} "
            text += "\(entry.count)\n"
        }
        add("duet_dns_upstream_milliseconds", "gauge", "Smoothed time to the answers of a server.")
        for server in state.health {
            text += "duet_dns_upstream_milliseconds{server=\"\(server.upstream)\"} \(server.milliseconds)\n"
        }
        add("duet_dns_upstream_away", "gauge", "Whether a server is passed over because it does not answer.")
        for server in state.health {
            text += "duet_dns_upstream_away{server=\"\(server.upstream)\"} \(server.isAway ? 1 : 0)\n"
        }
        add("duet_dns_lost_total", "counter", "Queries without an answer and connections ended early, by reason.")
        for reason in LossReason.allCases {
            text += "duet_dns_lost_total{reason=\"\(reason)\"} \(state.losses.lost(reason))\n"
        }
        let snapshot = state.snapshot
        add("duet_dns_zone_names", "gauge", "Names that exist in the zone of the cluster.")
        text += "duet_dns_zone_names \(snapshot.nameCount)\n"
        add("duet_dns_zone_serial", "gauge", "The version of the zone.")
        text += "duet_dns_zone_serial \(snapshot.serial)\n"
    }

    private mutating func add(_ name: String, _ kind: String, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n"
    }

    /// A label's value: names may hold any byte, which their text form has escaped once.
    private func escaped(_ value: String) -> String {
        value.reduce(into: "") { $0 += $1 == "\\" || $1 == "\"" ? "\\\($1)" : "\($1)" }
    }
}
