internal import Addresses
internal import NFTables

// 464XLAT (RFC 6877) on one node: a CLAT would make IPv6 of a pod's IPv4 packets, and the node's translator IPv4 of these. Both
// know addresses alone (RFC 7915), so that together they replace one address: the pod's own by its private one. These rules do
// that in the same table that all translated packets go through, before and behind everything that remembers packets:
// the pods' own addresses are all the same.
extension TranslationTable {
    private static let fromPods = Chain(
        table: table, name: "clat-from-pods",
        base: .init(.filter, .prerouting, priority: Chain.Priority.rawBeforeDefragmentation))
    private static let toPods = Chain(
        table: table, name: "clat-to-pods",
        base: .init(.filter, .postrouting, priority: Chain.Priority.sourceNAT + 1))
    private static let fromPod = Chain(table: table, name: "clat-from-pod")
    private static let toPod = Chain(table: table, name: "clat-to-pod")

    static let clatChains = [fromPods, toPods, fromPod, toPod]

    private static let icmp: UInt8 = 1
    /// ICMP errors that quote a packet (RFC 792): unreachable, time exceeded, parameter problem.
    private static let quotingErrors: [UInt8] = [3, 11, 12]
    /// Where the header of the quoted packet stands behind that of ICMP.
    private static let quoted: UInt32 = 8
    /// Where the header of IPv4 has its checksum, and its addresses (RFC 791 §3.1).
    private static let checksum: UInt32 = 10
    private static let (source, destination): (UInt32, UInt32) = (12, 16)

    /// The rules, and the chains that they are in.
    static var clatRules: [(Chain, [Expression])] {
        let (first, second) = (Register(0), Register(4))
        let own = Array(IPAddress.v4(PodCLAT.address).bytes)
        let privateAddress: [Expression] = [
            .meta(.inputInterface, first), .lookup(map: SetName.links.rawValue, first, into: second),
        ]
        let ownAddress: [Expression] = [.immediate(own, second)]
        var rules: [(Chain, [Expression])] = [
            (
                fromPods,
                [.address(.source, .ipv4), .compare(first, .equal, own)] + privateAddress
                    + [.verdict(.goto(fromPod.name))]
            ),
            (
                toPods,
                [
                    .address(.destination, .ipv4), .lookup(map: SetName.clat.rawValue, first, into: second),
                    .verdict(.goto(toPod.name)),
                ]
            ),
        ]
        for type in quotingErrors {
            // The checksum of ICMP stays right: that of the quoted header makes up for the address.
            func quoting(_ offset: UInt32, _ address: [Expression]) -> [Expression] {
                [
                    .meta(.transportProtocol, first), .compare(first, .equal, [icmp]),
                    .payload(.transport, offset: 0, length: 1, first), .compare(first, .equal, [type]),
                ] + address + [
                    .setPayload(
                        .transport, offset: quoted + offset, length: UInt32(own.count), second,
                        checksum: quoted + checksum)
                ]
            }
            rules.append((fromPod, quoting(destination, privateAddress)))
            rules.append((toPod, quoting(source, ownAddress)))
        }
        rules.append((fromPod, privateAddress + [.setAddress(.source, .ipv4, second)]))
        rules.append((toPod, ownAddress + [.setAddress(.destination, .ipv4, second)]))
        return rules
    }
}
