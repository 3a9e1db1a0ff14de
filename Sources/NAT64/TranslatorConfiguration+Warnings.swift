import Translation

extension TranslatorConfiguration {
    /// What the RFCs want otherwise, and what follows from it; a translator runs with it all the same, as where ports are few.
    public var warnings: [String] {
        guard case .stateful(let configuration) = mode else { return [] }
        let timeouts = configuration.timeouts
        let least: [(key: String, seconds: UInt32, least: UInt32, source: String, consequence: String)] = [
            ("udp", timeouts.udp, 120, "RFC 4787, REQ-5", "clients that are silent for longer lose their ports"),
            (
                "tcpEstablished", timeouts.tcpEstablished, 7440, "RFC 5382, REQ-5",
                "connections that are silent for longer may break"
            ),
            (
                "tcpTransitory", timeouts.tcpTransitory, 240, "RFC 5382, REQ-5",
                "connections that open or close slowly may break"
            ),
            (
                "tcpIncomingOpen", timeouts.tcpIncomingSYN, 6, "RFC 5382, REQ-4",
                "connections that both sides open at once may fail"
            ),
            ("icmp", timeouts.icmp, 60, "RFC 5508, REQ-2", "late answers to pings are lost"),
            ("fragment", timeouts.fragment, 2, "RFC 6146, section 3.4", "packets whose fragments come slowly are lost"),
        ]
        var warnings = least.filter { $0.seconds < $0.least }.map {
            "timeouts.\($0.key): \($0.seconds) s are less than the \($0.least) of \($0.source): \($0.consequence)"
        }
        if timeouts.portRest < 120, configuration.filtering == .endpointIndependent {
            warnings.append(
                "timeouts.portRest: \(timeouts.portRest) s are less than the 120 of RFC 6888, REQ-8: "
                    + "packets for a client may come to the next one that has its port")
        }
        if configuration.maximumHeldSYNs == 0 {
            warnings.append(
                "limits.heldOpens: with 0 connections that both sides open at once fail, which RFC 5382, REQ-4 forbids")
        }
        return warnings
    }
}
