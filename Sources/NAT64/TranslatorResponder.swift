import Addresses
import Hummingbird
import JSON
import PodTranslation
import Translation
import TranslationEngine

/// Answers what commands ask of a running translator.
struct TranslatorResponder: Sendable {
    let engine: any RunningTranslator
    let kernel: KernelPath?
    let configuration: TranslatorConfiguration

    /// The sessions that are shown at once unless the question says how many, and the clients.
    private static let records = 1000

    func answer(_ request: Request) -> Response {
        guard request.method == .get else { return text(.methodNotAllowed, "use GET\n") }
        switch request.uri.path {
        case "/status": return json(status)
        case "/metrics":
            let metrics = TranslatorMetrics(engine, try? kernel?.counters())
            return text(.ok, metrics.text, type: TranslatorMetrics.type)
        case "/sessions": return sessions(request)
        case "/clients": return json(.array(engine.largestClients(Self.records).map(Self.value)))
        case "/trace": return trace()
        default:
            return text(.notFound, "there is no \(request.uri.path): /status /sessions /clients /trace /metrics\n")
        }
    }

    func text(
        _ status: HTTPResponse.Status, _ text: String, type: String = "text/plain; charset=utf-8"
    ) -> Response {
        Response(
            status: status, headers: [.contentType: type], body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    private func json(_ value: JSONValue) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: value.serialized())))
    }

    // MARK: Status

    private var status: JSONValue {
        let (counters, usage) = (engine.counters, engine.usage)
        var drops: JSONObject = [:]
        for reason in DropReason.allCases where counters.drops(reason) > 0 {
            drops["\(reason)"] = .integer(Int64(clamping: counters.drops(reason)))
        }
        var document: JSONObject = [
            "device": .string(configuration.device), "queues": .integer(Int64(configuration.queues)),
            "routes": .array(configuration.routes.map { .string("\($0)") }),
            "translated": [
                "ipv4": Self.traffic(counters, .ipv4), "ipv6": Self.traffic(counters, .ipv6),
            ],
            "dropped": .object(drops),
            "errorsSent": .integer(Int64(clamping: counters.replies)),
            "errorsSuppressed": .integer(Int64(clamping: counters.suppressedReplies)),
            "tracing": .bool(engine.isTracing),
            "writeFailures": .integer(Int64(clamping: engine.writeFailures)),
        ]
        if case .stateful(let nat64) = configuration.mode {
            document["prefix"] = .string("\(nat64.prefix.prefix)")
            document["pool"] = .array(nat64.pool.map { .string("\($0)") })
            document["sessions"] = [
                "count": .integer(Int64(usage.sessions)), "limit": .integer(Int64(usage.maximumSessions)),
                "ports": .integer(Int64(usage.ports)), "clients": .integer(Int64(usage.clients)),
            ]
        }
        if let counters = try? kernel?.counters() {
            var kernel: JSONObject = [:]
            for (name, count) in counters.named {
                kernel[name] = [
                    "packets": .integer(Int64(clamping: count.packets)),
                    "bytes": .integer(Int64(clamping: count.bytes)),
                ]
            }
            document["kernel"] = .object(kernel)
        }
        return .object(document)
    }

    private static func traffic(_ counters: TranslationCounters, _ family: IPFamily) -> JSONValue {
        [
            "packets": .integer(Int64(clamping: counters.packets(to: family))),
            "bytes": .integer(Int64(clamping: counters.bytes(to: family))),
        ]
    }

    // MARK: Sessions

    /// `/sessions?limit=N&address=A`: the sessions that an address of either family has a part in.
    private func sessions(_ request: Request) -> Response {
        let query = request.uri.queryParameters
        guard let limit = query["limit"].map({ Int($0) }) ?? Self.records, limit >= 0 else {
            return text(.badRequest, "limit is no number\n")
        }
        var wanted: IPAddress?
        if let filter = query["address"] {
            wanted = IPAddress(String(filter))
            guard wanted != nil else { return text(.badRequest, "\(filter) is no address\n") }
        }
        let records = engine.sessions(limit: limit) { record in
            guard let wanted else { return true }
            return [.v6(record.client), .v4(record.publicAddress), .v4(record.remote)].contains(wanted)
        }
        return json(.array(records.map(Self.value)))
    }

    private static func value(_ record: SessionRecord) -> JSONValue {
        var value: JSONObject = [
            "protocol": .string("\(record.kind)"), "client": .string("\(record.client)"),
            "clientPort": .integer(Int64(record.clientPort)), "publicAddress": .string("\(record.publicAddress)"),
            "publicPort": .integer(Int64(record.publicPort)), "remote": .string("\(record.remote)"),
            "remotePort": .integer(Int64(record.remotePort)),
        ]
        if let state = record.state { value["state"] = .string("\(state)") }
        let now = UInt32(truncatingIfNeeded: Timestamp.coarseNow.milliseconds / 1000)
        value["endsIn"] = .integer(max(Int64(record.expires) - Int64(now), 0))
        return .object(value)
    }

    private static func value(_ record: ClientRecord) -> JSONValue {
        [
            "client": .string("\(record.client)"), "publicAddress": .string("\(record.publicAddress)"),
            "ports": .integer(Int64(record.ports)), "sessions": .integer(Int64(record.sessions)),
        ]
    }

    // MARK: Trace

    /// `/trace`: a line for each packet, until whoever reads goes away.
    private func trace() -> Response {
        guard engine.beginTrace() else { return text(.conflict, "another trace is running; end it first\n") }
        let engine = engine
        return Response(
            status: .ok, headers: [.contentType: "application/x-ndjson"],
            body: ResponseBody { writer in
                defer { engine.endTrace() }
                while !Task.isCancelled {
                    let (records, lost) = engine.takeTrace()
                    var lines: [UInt8] = []
                    for record in records { lines += TraceLine.value(record).serialized() + [10] }
                    if lost > 0 {
                        lines += JSONValue.object(["lost": .integer(Int64(lost))]).serialized() + [10]
                    }
                    // An empty part tells whether the reader is still there.
                    try await writer.write(ByteBuffer(bytes: lines))
                    try await Task.sleep(for: .milliseconds(200))
                }
                try await writer.finish(nil)
            })
    }
}
