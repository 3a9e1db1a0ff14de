import CNI
import JSON

/// The configuration of `firewall`.
struct FirewallConfiguration {
    /// Who lets a pod's packets pass.
    enum Backend {
        /// Rules of the kernel's filter tables.
        case filter
        /// A zone of firewalld.
        case firewalld(zone: String)
    }

    /// Which pods may begin connections to a pod.
    enum IngressPolicy: String {
        /// All.
        case open
        /// Those on the same bridge, and none on other bridges with this policy.
        case sameBridge = "same-bridge"
        /// None on the same bridge, and none on other bridges with this policy.
        case isolated
    }

    /// Who lets a pod's packets pass.
    let backend: Backend
    /// The chain that an administrator may fill with rules that go first.
    let adminChain: String
    /// Which pods may begin connections to a pod.
    let policy: IngressPolicy

    /// Reads and checks the configuration; firewalld is used where it runs, unless the configuration says otherwise.
    init(_ json: JSONValue, isFirewalldRunning: () -> Bool) throws(CNIError) {
        let chain = try json.word("iptablesAdminChainName")
        adminChain = chain.isEmpty ? "CNI-ADMIN" : chain
        // What iptables could not name, it could not list or delete either.
        guard adminChain.utf8.count <= 28, !["-", "!"].contains(adminChain.first),
            !adminChain.contains(where: \.isWhitespace)
        else { throw CNIError("iptablesAdminChainName \"\(adminChain)\" is no name for a chain of iptables") }
        let word = try json.word("ingressPolicy")
        guard let policy = word.isEmpty ? .open : IngressPolicy(rawValue: word) else {
            throw CNIError("unknown ingress policy: \"\(word)\"")
        }
        self.policy = policy
        _ = try json.word("firewalldZone")
        _ = try json.word("backend")
        backend = Self.backend(json, isFirewalldRunning: isFirewalldRunning)
    }

    /// Who lets a pod's packets pass, by a configuration that may be wrong in every other respect.
    static func backend(_ json: JSONValue, isFirewalldRunning: () -> Bool) -> Backend {
        let zone = json["firewalldZone"]?.string ?? ""
        let firewalld = Backend.firewalld(zone: zone.isEmpty ? "trusted" : zone)
        return switch json["backend"]?.string {
        case "iptables": .filter
        case "firewalld": firewalld
        default: isFirewalldRunning() ? firewalld : .filter
        }
    }
}
