import JSON
import Translation
import TranslationEngine

/// A traced packet as a JSON object.
enum TraceLine {
    static func value(_ record: TraceRecord) -> JSONValue {
        var value: JSONObject = [
            "time": .double(Double(record.time.milliseconds) / 1000), "packet": packet(record.packet),
        ]
        switch record.action {
        case .forwarded: value["action"] = "forwarded"
        case .fragmented: value["action"] = "fragmented"
        case .held: value["action"] = "held"
        case .answered(let reason): (value["action"], value["reason"]) = ("answered", .string("\(reason)"))
        case .dropped(let reason): (value["action"], value["reason"]) = ("dropped", .string("\(reason)"))
        }
        if let sent = record.sent { value["sent"] = packet(sent) }
        return .object(value)
    }

    private static func packet(_ summary: PacketSummary) -> JSONValue {
        var value: JSONObject = [
            "source": .string("\(summary.source)"), "destination": .string("\(summary.destination)"),
            "protocol": .integer(Int64(summary.transport)), "length": .integer(Int64(summary.length)),
        ]
        if let ports = summary.ports {
            // The protocols whose first words are ports; in ICMP they are type and code.
            let isICMP = summary.transport == 1 || summary.transport == 58
            value[isICMP ? "type" : "sourcePort"] = .integer(Int64(ports.source))
            value[isICMP ? "code" : "destinationPort"] = .integer(Int64(ports.destination))
        }
        return .object(value)
    }
}
