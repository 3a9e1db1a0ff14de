public import Addresses
internal import CLinux
internal import Linux
public import Netlink

extension RouteSocket {
    /// The rules of a family that somebody has added.
    public mutating func rules(
        _ family: IPFamily, protocol: RouteProtocol
    ) throws(NetlinkError) -> [RoutingRule] {
        try netlink.dump(
            NetlinkRequest(type: UInt16(RTM_GETRULE), payload: RoutingRule.header(family)), "list \(family) rules"
        ) { reply in
            RoutingRule(reply).flatMap { $0.protocol == `protocol` ? $0 : nil }
        }
    }

    /// Adds a rule; the same one with the same priority throws `Errno.exists`.
    public mutating func addRule(_ rule: RoutingRule) throws(NetlinkError) {
        try netlink.execute(
            NetlinkRequest(type: UInt16(RTM_NEWRULE), flags: [.create, .exclusive], payload: rule.encode()),
            "add rule \(rule)")
    }

    /// Deletes a rule; one that is not there throws `Errno.noEntry`.
    public mutating func deleteRule(_ rule: RoutingRule) throws(NetlinkError) {
        try netlink.execute(
            NetlinkRequest(type: UInt16(RTM_DELRULE), payload: rule.encode()), "delete rule \(rule)")
    }
}
