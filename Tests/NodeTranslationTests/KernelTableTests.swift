import Addresses
import KubernetesAPI
import Linux
import NFTables
import NodeTranslation
import Testing

@Suite("The table of a node's translation in the kernel", .serialized)
struct KernelTableTests {
    @Test("Is adopted as it is, changed by differences, and built anew where somebody has altered it")
    func life() throws {
        let name = "dt-kernel-nt-\(ProcessInformation.currentPID)"
        let namespace = try NetworkNamespace.create(name: name)
        defer { try? NetworkNamespace.delete(name: name) }
        let ranges = TranslationTable.Ranges(
            pods: try #require(IPPrefix("100.127.0.0/16")), nodes: try #require(IPPrefix("100.126.0.0/16")))
        var content = TranslationTable.Content()
        let (address, other) = (try #require(IPv4Address("100.127.0.2")), try #require(IPv4Address("100.127.0.3")))
        let pod = try #require(IPv6Address("fd00::1"))
        let key = ObjectKey(namespace: "default", name: "pod")
        let both = TranslatedPod(key: key, ipv6: pod, translated: address, clat: other)
        content.replace(nil, by: both, link: 7)
        content.setDestinations(
            Destinations(
                allowed: ["10.0.0.0/8", "192.168.128.0/17"].compactMap { IPPrefix($0) },
                refused: [.pods: Set(["10.244.0.0/16", "10.245.0.0/24"].compactMap { IPPrefix($0) }), .nodes: []]))
        let steps = try namespace.run { () throws -> [Bool] in
            var first = try TranslationTableReconciler(ranges: ranges)
            var steps = [try first.audit(&content), try first.audit(&content)]
            // Another process finds what the first has left.
            var second = try TranslationTableReconciler(ranges: ranges)
            let owners = try second.adopted()
            #expect(owners == [address: .init(pod, .translated), other: .init(pod, .clat)])
            steps.append(try second.audit(&content))
            let egress: IPv4Address = try #require(IPv4Address("192.0.2.1"))
            content.setEgress(address, egress)
            content.replace(
                both, by: TranslatedPod(key: key, ipv6: pod, translated: address, clat: nil), formerLink: 7)
            content.setDestinations(
                Destinations(
                    allowed: ["10.0.0.0/9"].compactMap { IPPrefix($0) },
                    refused: [.services: Set(["10.96.0.0/12"].compactMap { IPPrefix($0) })]))
            try second.apply(&content)
            steps.append(try first.audit(&content))
            // Somebody adds a rule, and takes an element away.
            var socket = try NFTablesSocket()
            try socket.commit(
                Transaction([
                    .addRule(Rule(table: TranslationTable.table, chain: "forward", [.verdict(.accept)]))
                ]))
            steps += [try second.audit(&content), try second.audit(&content)]
            try socket.commit(Transaction([.flushSet(TranslationTable.table, "egress")]))
            steps += [try second.audit(&content), try second.audit(&content)]
            return steps
        }
        #expect(steps == [true, false, false, false, true, false, true, false])
    }
}
