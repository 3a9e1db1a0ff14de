internal import CLinux
internal import Linux
public import Netlink

extension RouteSocket {
    /// The number by which this socket's namespace knows another one, as in `Link.peerNamespace`; `nil` when it has given
    /// it none.
    ///
    /// - Parameter namespace: an open descriptor of the other namespace.
    public mutating func namespaceNumber(of namespace: Int32) throws(NetlinkError) -> Int32? {
        // `struct rtgenmsg` of linux/rtnetlink.h, padded.
        var payload = NetlinkWriter()
        payload.append(UInt32(0))
        payload.attribute(Int(NETNSA_FD), UInt32(bitPattern: namespace))
        let replies = try netlink.execute(
            NetlinkRequest(type: UInt16(RTM_GETNSID), payload: payload), "look up number of network namespace")
        let number = replies.first?.attributes(after: 4)[Int(NETNSA_NSID)]?.integer(as: Int32.self)
        // NETNSA_NSID_NOT_ASSIGNED is negative.
        return number.flatMap { $0 < 0 ? nil : $0 }
    }
}
