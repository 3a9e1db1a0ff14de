internal import CLinux
internal import Glibc
internal import Linux
public import Netlink

/// The little of a link that its users ask for most.
public struct LinkSummary: Sendable, Hashable {
    /// The name.
    public let name: String
    /// What tells links of a namespace apart.
    public let index: Int32
    /// The largest packet in bytes.
    public let mtu: Int
    /// The link-layer address; `nil` when the link has none as Ethernet has it.
    public let mac: MACAddress?
}

extension Link {
    /// The little of it that is asked for most.
    public var summary: LinkSummary { LinkSummary(name: name, index: index, mtu: mtu, mac: mac) }
}

/// Questions about one link in the old form (netdevice(7)).
///
/// The kernel answers them without its lock of links, addresses and routes, for which a netlink request for a link waits
/// (net/core/dev_ioctl.c): what many processes ask at the same time does not make them wait for each other.
extension RouteSocket {
    /// Index, MTU and address of the link of a name; `nil` when there is none.
    public func summary(ofLink name: String) throws(NetlinkError) -> LinkSummary? {
        guard let index = try ask(UInt(SIOCGIFINDEX), name), let mtu = try ask(UInt(SIOCGIFMTU), name),
            let address = try ask(UInt(SIOCGIFHWADDR), name)
        else { return nil }
        // `struct sockaddr`: the kind of link, and the bytes of the address.
        let isEthernet = address.integer(at: 0, as: UInt16.self) == UInt16(ARPHRD_ETHER)
        return LinkSummary(
            name: name, index: index.integer(at: 0), mtu: Int(mtu.integer(at: 0, as: Int32.self)),
            mac: isEthernet ? MACAddress(bytes: address.dropFirst(2).prefix(6)) : nil)
    }

    private func ask(_ request: UInt, _ name: String) throws(NetlinkError) -> ArraySlice<UInt8>? {
        // The kernel would look for a longer name's beginning.
        guard name.utf8.count < Int(IFNAMSIZ) else { return nil }
        var answer = [UInt8](repeating: 0, count: MemoryLayout<sockaddr>.size)
        let status = unsafe answer.withUnsafeMutableBytes { bytes in
            unsafe duet_link_request(netlink.descriptor.rawValue, request, name, bytes.baseAddress)
        }
        guard status != 0 else { return answer[...] }
        let errno = Errno.last
        guard errno == .noDevice else { throw NetlinkError(errno, "ask for link \(name)") }
        return nil
    }
}
