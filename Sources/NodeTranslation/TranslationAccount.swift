package import Addresses
package import JSON

/// What becomes of what a pod with IPv6 alone sends to an IPv4 destination.
package struct TranslationAccount: Hashable, Sendable {
    /// How it ends.
    package enum Outcome: Hashable, Sendable {
        /// It leaves the node, and the destination sees an address.
        case sent(IPv4Address, isEgress: Bool)
        /// It goes to another node, at which an address stands for this one; what the destination sees is nil where that is up
        /// to the gateway.
        case handedOver(gateway: String, address: IPv4Address, seen: IPv4Address?)
        /// It should go to another node, which this one has no way to.
        case noGateway(String)
        /// It is refused.
        case refused(Destinations.Reason)
        /// Nothing translates for the pod, or it has no CLAT.
        case untranslated
        /// The pod has a private address, and no translator runs.
        case noEngine
        /// The node has no way to the destination.
        case noRoute
    }

    package let pod: IPv6Address
    package let target: IPAddress
    package let destination: IPv4Address
    /// The destination as the pod writes it.
    package let embedded: IPv6Address
    /// The translator; nil where a CLAT needs none, or where there is none.
    package var engine: TranslationView.Engine?
    /// The address that stands for the pod on its node.
    package var privateAddress: IPv4Address?
    package var outcome = Outcome.untranslated

    /// The answer for people.
    package var text: String {
        var rows = [("call", "\(pod) to \(target)" + (isLiteral ? "" : ", which is \(destination)"))]
        if privateAddress != nil { rows.append(("by", way)) }
        if let privateAddress { rows.append(("private", "\(privateAddress) on this node")) }
        rows.append(("outcome", outcomeText))
        let lines = rows.map { "  " + $0.0 + String(repeating: " ", count: 12 - $0.0.count) + $0.1 }
        return (["", "translation"] + lines).joined(separator: "\n") + "\n"
    }

    /// The answer for programs.
    package var json: JSONValue {
        var object: JSONObject = [
            "destination": .string("\(destination)"), "embedded": .string("\(embedded)"),
            "engine": isLiteral && privateAddress != nil ? .string("clat") : engine.map { .string($0.name) } ?? .null,
            "privateAddress": privateAddress.map { .string("\($0)") } ?? .null, "outcome": .string(outcomeWord),
        ]
        switch outcome {
        case .sent(let address, let isEgress):
            object["sourceSeen"] = .string("\(address)")
            object["isEgressAddress"] = .bool(isEgress)
        case .handedOver(let gateway, let address, let seen):
            object["gateway"] = .string(gateway)
            object["addressAtGateway"] = .string("\(address)")
            object["sourceSeen"] = seen.map { .string("\($0)") } ?? .null
            object["isEgressAddress"] = .bool(seen != nil)
        case .noGateway(let gateway): object["gateway"] = .string(gateway)
        case .refused(let reason): object["reason"] = .string(reason.rawValue)
        case .untranslated, .noEngine, .noRoute: break
        }
        return .object(object)
    }

    private var isLiteral: Bool { target.family == .ipv4 }

    private var way: String {
        switch engine {
        case _ where isLiteral: "the pod's CLAT (464XLAT), in the kernel's rules"
        case .kernel(let link): "the kernel, at link \(link)"
        case .userspace: "userspace, through device \(UserspaceTranslator.deviceName)"
        case nil: "no translator: the agent does not run"
        }
    }

    private var outcomeWord: String {
        switch outcome {
        case .sent, .handedOver: "sent"
        case .noGateway: "noGateway"
        case .refused: "refused"
        case .untranslated: "untranslated"
        case .noEngine: "noEngine"
        case .noRoute: "noRoute"
        }
    }

    private var outcomeText: String {
        switch outcome {
        case .sent(let address, let isEgress):
            return "goes to \(destination), which sees \(address), "
                + (isEgress ? "an egress address of the node" : "the node's address on that way")
        case .handedOver(let gateway, let address, let seen):
            return
                "goes to \(destination) by gateway \(gateway), which knows this node as \(address); the destination sees "
                + (seen.map { "\($0), an egress address of the gateway" } ?? "an address that the gateway chooses")
        case .noGateway(let gateway):
            return "goes nowhere: this node has no way to gateway \(gateway); its agent's log says why"
        case .refused(let reason):
            return "refused: \(destination) is \(reason.text)"
        case .untranslated where isLiteral:
            return "goes nowhere: the pod has no CLAT; call \(embedded), or annotate the pod with "
                + "\(TranslationSwitch.clatAnnotation): enabled"
        case .untranslated:
            return "goes nowhere: the node does not translate for the pod; see annotations "
                + "\(TranslationSwitch.translationAnnotation), and --nat64-default"
        case .noEngine: return "waits for the agent, which does not run"
        case .noRoute: return "goes nowhere: the node itself has no way to \(destination)"
        }
    }
}

extension TranslationView.Engine {
    fileprivate var name: String {
        switch self {
        case .kernel: "kernel"
        case .userspace: "userspace"
        }
    }
}

extension Destinations.Reason {
    fileprivate var text: String {
        switch self {
        case .pods: "in a network of pods, which --nat64-allow does not open"
        case .services: "a Service's, which has an address of its own for IPv6 callers or none"
        case .nodes: "a node's, which --nat64-allow does not open"
        case .special: "private or special, which --nat64-allow does not open"
        }
    }
}
