public import Addresses
internal import CLinux
internal import Glibc
internal import Linux
public import Netlink

extension RouteSocket {
    /// Whether packets to an address are delivered here.
    ///
    /// An address is listed as soon as it is added, but IPv6 delivers only after a worker of the kernel has inserted its
    /// local route (net/ipv6/addrconf.c, `addrconf_dad_work`), even without duplicate address detection.
    public mutating func isLocal(_ address: IPAddress) throws(NetlinkError) -> Bool {
        var payload = Route.header(family: address.family, length: address.family.bitWidth)
        payload.attribute(Int(RTA_DST.rawValue), bytes: address.bytes)
        do throws(NetlinkError) {
            let replies = try netlink.execute(
                NetlinkRequest(type: UInt16(RTM_GETROUTE), payload: payload), "look up route to \(address)")
            // The type in `struct rtmsg` of linux/rtnetlink.h.
            return replies.first?.payload.integer(at: 7, as: UInt8.self) == UInt8(RTN_LOCAL)
        } catch  where error.errno == .networkUnreachable {
            return false
        }
    }
}
