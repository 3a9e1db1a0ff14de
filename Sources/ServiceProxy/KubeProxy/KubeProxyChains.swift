/// The chains of kube-proxy's iptables mode, in the text that `iptables-save` writes.
package enum KubeProxyChains {
    private static let names: Set<String> = [
        "KUBE-SERVICES", "KUBE-EXTERNAL-SERVICES", "KUBE-NODEPORTS", "KUBE-POSTROUTING", "KUBE-MARK-MASQ",
        "KUBE-FORWARD", "KUBE-PROXY-FIREWALL", "KUBE-PROXY-CANARY",
    ]
    private static let prefixes = ["KUBE-SVC-", "KUBE-SVL-", "KUBE-EXT-", "KUBE-SEP-", "KUBE-FW-", "KUBE-XLB-"]

    /// Whether a chain is kube-proxy's; the kubelet has others that begin alike.
    private static func isOwn(_ name: some StringProtocol) -> Bool {
        names.contains(String(name)) || prefixes.contains { name.hasPrefix($0) }
    }

    /// What `iptables-restore --noflush` needs to remove kube-proxy's chains, and the rules that lead to them, each table
    /// in one step; nil when there are none.
    package static func removal(of listing: String) -> String? {
        var text = ""
        var table = ""
        var chains: [Substring] = []
        var entrances: [String] = []
        for line in listing.split(separator: "\n") {
            if line.hasPrefix("*") {
                (table, chains, entrances) = (String(line), [], [])
            } else if line.hasPrefix(":") {
                let name = line.dropFirst().prefix { $0 != " " }
                if isOwn(name) { chains.append(name) }
            } else if line.hasPrefix("-A ") {
                let words = line.split(separator: " ")
                guard words.count > 3, !isOwn(words[1]),
                    let action = words.lastIndex(where: { $0 == "-j" || $0 == "-g" }), action + 1 < words.count,
                    isOwn(words[action + 1])
                else { continue }
                entrances.append("-D" + line.dropFirst(2))
            } else if line == "COMMIT", !chains.isEmpty {
                // Naming a chain empties it, so that none leads to another when they are deleted.
                let emptied = chains.map { ":\($0) - [0:0]" }
                let deleted = chains.map { "-X \($0)" }
                text += ([table] + emptied + entrances + deleted + ["COMMIT", ""]).joined(separator: "\n")
            }
        }
        return text.isEmpty ? nil : text
    }
}
