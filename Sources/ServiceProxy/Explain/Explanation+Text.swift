internal import Addresses
package import JSON

extension Explanation {
    /// The answer for people.
    package var text: String {
        var lines = ["\(question), as node \(node) sees it"]
        if let policy { lines.append("family policy: \(policy)") }
        for family in families { lines += ["", family.family.name] + family.lines.map { "  \($0)" } }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The answer for programs.
    package var json: JSONValue {
        .object([
            "question": .string(question), "node": .string(node), "policy": policy.map { .string($0) } ?? .null,
            "kernelAgrees": .bool(isAgreed), "families": .array(families.map(\.json)),
        ])
    }
}

extension Explanation.Family {
    fileprivate var lines: [String] {
        if let gap { return [Self.row("nothing", gap)] }
        var lines: [String] = []
        if let call { lines.append(Self.row("call", "\(call.source) to \(call.place)")) }
        if let service { lines.append(Self.row("Service", "\(service)")) }
        if !addresses.isEmpty { lines.append(Self.row("answers on", addresses.joined(separator: ", "))) }
        if let decision { lines.append(Self.row("outcome", decision.text)) }
        if let text = decision?.sourceText { lines.append(Self.row("source", text)) }
        lines += Self.rows("endpoints", endpoints.map(\.text) + otherPods)
        lines += Self.rows("kernel", ["table \(table)"] + elements)
        guard !disagreements.isEmpty else { return lines }
        return lines + ["!! THE KERNEL DISAGREES WITH THE API:"] + disagreements.map { "!!   \($0)" }
    }

    private static func rows(_ title: String, _ texts: [String]) -> [String] {
        texts.enumerated().map { row($0.offset == 0 ? title : "", $0.element) }
    }

    private static func row(_ title: String, _ text: String) -> String {
        title + String(repeating: " ", count: max(1, 12 - title.count)) + text
    }

    fileprivate var json: JSONValue {
        func texts(_ list: [String]) -> JSONValue { .array(list.map { .string($0) }) }
        var object: JSONObject = ["family": .string(family.name)]
        if let gap { object["gap"] = .string(gap) }
        if let call {
            object["caller"] = .string("\(call.source)")
            object["address"] = .string("\(call.destination)")
            object["port"] = .integer(Int64(call.port))
            object["protocol"] = .string("\(call.transport)")
        }
        guard gap == nil else { return .object(object) }
        object["service"] = service.map { .string("\($0)") } ?? .null
        object["answersOn"] = texts(addresses)
        if let decision {
            object["outcome"] = .string(decision.outcome.word)
            object["reason"] = .string("\(decision.reason)")
            if case .delivered(_, let isMasqueraded) = decision.outcome {
                object["masqueraded"] = .bool(isMasqueraded)
            }
        }
        object["endpoints"] = .array(endpoints.map(\.json))
        object["otherPods"] = texts(otherPods)
        object["table"] = .string(table)
        object["elements"] = texts(elements)
        object["disagreements"] = texts(disagreements)
        return .object(object)
    }
}

extension Explanation.Endpoint {
    private var name: String {
        "\(account.backend.text)" + (translated.map { " for \($0.text)" } ?? "") + (pod.map { " (\($0)" } ?? " (no pod")
            + (account.nodeName.map { " on \($0))" } ?? ")")
    }

    fileprivate var text: String {
        if let exclusion = account.exclusion { return "\(name): left out, \(exclusion.text)" }
        guard let route else { return "\(name): takes connections, but THERE IS NO ROUTE to it" }
        let seen = source.map { "sees \($0), " } ?? ""
        let way = translated.map { "translated to \($0.address.family.name), " } ?? ""
        return "\(name): takes connections, \(way)\(seen)by \(route.text)"
    }

    fileprivate var json: JSONValue {
        func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
        return .object([
            "address": .string("\(account.backend.address)"), "port": .integer(Int64(account.backend.port)),
            "pod": text(pod), "node": text(account.nodeName), "takesConnections": .bool(account.exclusion == nil),
            "leftOut": text(account.exclusion?.text), "route": text(route?.text),
            "sourceSeen": text(source.map { "\($0)" }), "translatedTo": text(translated.map { "\($0.address)" }),
        ])
    }
}

extension Call {
    fileprivate var place: String { "\(Backend(address: destination, port: port).text)/\(transport)" }
}

extension Backend {
    /// Address and port as in a URL.
    var text: String { "\(address)".contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)" }
}

extension EndpointAccount.Exclusion {
    var text: String {
        switch self {
        case .notReady: "not ready"
        case .ended: "terminating and not serving any more"
        case .terminating: "terminating, and others are ready"
        case .onOtherNode: "on another node, and the traffic policy is Local"
        case .meantForNodes(let nodes): "hints mean it for \(nodes.joined(separator: ", ")), and others for this node"
        case .meantForZones(let zones):
            "hints mean it for zone \(zones.joined(separator: ", ")), and others for this node's"
        }
    }
}

extension CallOutcome {
    fileprivate var word: String {
        switch self {
        case .untouched: "untouched"
        case .refused: "refused"
        case .dropped: "dropped"
        case .delivered: "delivered"
        }
    }
}

extension CallDecision {
    fileprivate var text: String {
        guard case .delivered(let backends, _) = outcome else { return "\(outcome.word): \(cause)" }
        let keeps = balance?.stickySeconds.map { ", and stays there for \($0) s after its last" } ?? ""
        return
            "goes to \(backends.count == 1 ? "the one endpoint" : "one of \(backends.count) endpoints at random")\(keeps)"
    }

    private var cause: String {
        switch reason {
        case .sourceNotAdmitted: "loadBalancerSourceRanges does not admit the caller"
        case .noEndpoint: "the Service has no endpoint that is ready, or serves while it terminates"
        case .noLocalEndpoint: "the traffic policy is Local, and no endpoint is on this node"
        case .noSuchPort: "the Service does not have this port"
        case .noSuchAddress: "the address is in a range for Services, and no Service has it"
        case .noService: "no Service has this address and port; it is routed as any other"
        case .callerIsLocalPod, .callerIsElsewhere, .callerIsNode, .externalTraffic, .externalTrafficStaysLocal: ""
        }
    }

    /// What the source address becomes; nil when nobody sees it.
    fileprivate var sourceText: String? {
        switch reason {
        case .callerIsLocalPod: "the caller's: it is a pod of this node (masqueraded only towards itself)"
        case .externalTrafficStaysLocal: "the caller's, because externalTrafficPolicy is Local"
        case .callerIsElsewhere: "masqueraded: the caller is no pod of this node, and answers must return by here"
        case .callerIsNode: "masqueraded: the caller is this node itself"
        case .externalTraffic: "masqueraded: the traffic is external, and answers must return by here"
        case .sourceNotAdmitted, .noEndpoint, .noLocalEndpoint, .noSuchPort, .noSuchAddress, .noService: nil
        }
    }
}
