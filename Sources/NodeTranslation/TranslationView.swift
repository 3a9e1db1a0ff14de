package import Addresses
package import NFTables

/// What the kernel of a node holds of the translation for its pods.
package struct TranslationView: Sendable {
    /// The translator that a pod's packets to the prefix meet.
    package enum Engine: Hashable, Sendable {
        /// Programs at the link of a name, and the device for what they leave.
        case kernel(link: String)
        /// The device in userspace.
        case userspace
    }

    /// The pods by their private addresses.
    package var translated: [IPv6Address: IPv4Address] = [:]
    /// The pods with a CLAT by the private addresses of that.
    package var clat: [IPv6Address: IPv4Address] = [:]
    /// By which address packets of a private one leave, where it is not that of the link.
    package var egress: [IPv4Address: IPv4Address] = [:]
    /// The verdicts about destinations, as the kernel has them.
    package var destinations: [Element] = []
    /// The node's own IPv4 addresses.
    package var nodeAddresses: Set<IPv4Address> = []
    /// What IPv4 addresses are embedded in; nil where the device is not there that it is routed into.
    package var prefix: TranslationPrefix?
    /// The translator by pod; pods without have none.
    package var engines: [IPv6Address: Engine] = [:]
    /// The node's address on the way to a destination; nil where there is no way.
    package var outside: [IPv4Address: IPv4Address] = [:]
    /// By which node packets leave, as the API has it.
    package var exit = TranslationExit.own
    /// The addresses of the annotation of the node's gateway.
    package var gatewayEgress: [IPv4Address] = []
    /// Whether there is a route to the gateway.
    package var hasGatewayRoute = false

    package init() {}

    /// The IPv4 destination that an address leads to by translation; nil when it leads nowhere by that.
    ///
    /// Without the device, while no agent runs, the programs' prefix is taken for the well-known one.
    package func destination(of target: IPAddress) -> IPv4Address? {
        switch target {
        case .v4(let address): address
        case .v6(let address): (prefix ?? .wellKnown).extracting(from: address)
        }
    }

    /// What becomes of a pod's packets to an address; nil when translation has nothing to do with it.
    package func account(of pod: IPv6Address, to target: IPAddress) -> TranslationAccount? {
        guard let destination = destination(of: target) else { return nil }
        let isLiteral = target.family == .ipv4
        var account = TranslationAccount(
            pod: pod, target: target, destination: destination, embedded: (prefix ?? .wellKnown).embedding(destination))
        account.engine = isLiteral ? nil : engines[pod]
        guard let address = (isLiteral ? clat : translated)[pod] else {
            account.outcome = .untranslated
            return account
        }
        account.privateAddress = address
        if !isLiteral && engines[pod] == nil {
            account.outcome = .noEngine
        } else if let reason = refusal(of: destination) {
            account.outcome = .refused(reason)
        } else if case .sender(let own, let gateway) = exit {
            // What rules and routes do not hold yet, or any more, does not count.
            account.outcome =
                egress[address] == own && hasGatewayRoute
                ? .handedOver(
                    gateway: gateway, address: own, seen: TranslationExit.choose(gatewayEgress, for: own))
                : .noGateway(gateway)
        } else if let seen = egress[address] ?? outside[destination], outside[destination] != nil {
            account.outcome = .sent(seen, isEgress: egress[address] != nil)
        } else {
            account.outcome = .noRoute
        }
        return account
    }

    /// Why the kernel refuses a destination; nil where it does not.
    private func refusal(of destination: IPv4Address) -> Destinations.Reason? {
        let key = IPAddress.v4(destination).bytes
        // Of two at one key, the end of a range comes before the beginning of the next.
        let before = destinations.filter { !key.lexicographicallyPrecedes($0.key.bytes) }
            .max {
                if $0.key.bytes != $1.key.bytes { return $0.key.bytes.lexicographicallyPrecedes($1.key.bytes) }
                return $0.isRangeEnd && !$1.isRangeEnd
            }
        if let before, !before.isRangeEnd, case .verdict(let verdict) = before.value {
            return Destinations.Reason.allCases.first { TranslationTable.chain($0) == verdict.chain }
        }
        return nodeAddresses.contains(destination) ? .nodes : nil
    }
}
