import Addresses
import KubernetesAPI
import Logging
import ServiceProxy
import Testing

/// Real connections between the families through the kernel's tables and a translator, in namespaces of their own.
@Suite("Services across families in the kernel", .enabled(if: NodeLab.isPossible), .blocking)
struct KernelTranslationTests {
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// The tables of a node and its translator.
    private struct Node {
        let tables: [TableReconciler]
        let keeper = TranslationKeeper(logger: KernelTranslationTests.logger)

        init(blocks: [IPPrefix] = NodeLab.podBlocks) throws {
            let options = ProxyOptions(crossFamily: CrossFamilyOptions())
            tables = try IPFamily.allCases.map {
                try TableReconciler(
                    family: $0, nodeName: "node", options: options, logger: KernelTranslationTests.logger)
            }
            for table in tables { table.update(node(blocks)) }
        }

        func table(_ family: IPFamily) throws -> TableReconciler { try #require(tables.first { $0.family == family }) }

        func flush() throws {
            keeper.prepare(tables)
            for table in tables { try table.flush(seeing: tables.first { $0.family != table.family }) }
            keeper.finish(tables)
        }

        /// The address that a pod sees of an IPv4 caller; its own on the way to the pod for an IPv6 one.
        func source(of caller: IPAddress, seenBy pod: String) throws -> IPAddress {
            guard case .v4(let inner) = caller else { return NodeLab.address(.ipv4, of: pod, nodeSide: true) }
            return .v6(try #require(try table(.ipv4).translationAddresses).prefix.embedding(inner))
        }
    }

    /// A Service of one family with a node port, whose only endpoint is a pod's address of the other.
    private func serve(_ family: IPFamily, by pod: String, _ transport: String, on node: Node) throws {
        var web = service("web", [clusterIP(family, 1)], nodePort: 30_080, transport: transport.uppercased())
        web.metadata.annotations = [Service.crossFamilyAnnotation: "enabled"]
        let slice = slice(
            "web", family.other, [NodeLab.address(family.other, of: pod)], transport: transport.uppercased())
        for table in node.tables {
            table.update(web)
            table.update(slice)
        }
        try node.flush()
    }

    @Test(arguments: IPFamily.allCases, ["tcp", "udp"])
    func `Callers of one family reach a pod of the other, on cluster addresses and node ports`(
        family: IPFamily, transport: String
    ) throws {
        let lab = try NodeLab()
        let node = try lab.run(in: "node") { try Node() }
        try lab.run(in: "node") { try serve(family, by: "pod-2", transport, on: node) }
        for name in ["pod-1", "client"] {
            let seen = try node.source(of: NodeLab.address(family, of: name), seenBy: "pod-2")
            let answer = try lab.call(clusterIP(family, 1), 80, from: name, transport: transport)
            #expect(answer == "pod-2 \(seen)", "\(name)")
        }
        let outside = NodeLab.address(family, of: "client", nodeSide: true)
        let seen = try node.source(of: NodeLab.address(family, of: "client"), seenBy: "pod-2")
        #expect(try lab.call(outside, 30_080, from: "client", transport: transport) == "pod-2 \(seen)")
        #expect(try lab.call(clusterIP(family, 1), 80, from: "node", transport: transport).hasPrefix("pod-2 "))
        // A pod of both families that calls itself by the other one sees no difference.
        #expect(try lab.call(clusterIP(family, 1), 80, from: "pod-2", transport: transport).hasPrefix("pod-2 "))
        // The family of the endpoint has no Service.
        #expect(try lab.call(clusterIP(family.other, 1), 80, from: "pod-1", transport: transport) != "pod-2 ")
        // What is no endpoint is not reached by the translator's addresses, and what is one is.
        let addresses = try #require(try node.table(family).translationAddresses)
        let standIn = try #require(try node.table(family).translations.keys.first)
        let unknown = IPAddress(family: family, bits: addresses.range(family).address.bits + 5)
        let calls = [(standIn, 8080 as UInt16), (addresses.caller, 8080), (unknown, 8080)].filter {
            $0.0.family == family
        }
        .map { (place: "pod-1", call: Call(from: $0.0, to: $0.0, .tcp, $0.1), seconds: 1.0) }
        if transport == "tcp" {
            let answers = try lab.answers(to: calls)
            #expect(answers.first?.hasPrefix("pod-2 ") == true)
            #expect(answers.dropFirst().allSatisfy { $0 == "timeout" }, "\(answers)")
        }
        try lab.run(in: "node") {
            for table in node.tables { table.remove(service("web", [clusterIP(family, 1)])) }
            try node.flush()
            #expect(try ServiceRules.remove() == 2)
        }
    }

    @Test(arguments: IPFamily.allCases)
    func `A node without IPv6 pods reaches those of others, as itself`(family: IPFamily) throws {
        let lab = try NodeLab()
        let node = try lab.run(in: "node") { try Node(blocks: NodeLab.podBlocks.filter { $0.family == .ipv4 }) }
        try lab.run(in: "node") { try serve(family, by: "remote", "tcp", on: node) }
        let seen = NodeLab.address(family.other, of: "remote", nodeSide: true)
        #expect(try lab.call(clusterIP(family, 1), 80, from: "pod-1") == "remote \(seen)")
        #expect(try lab.call(clusterIP(family, 1), 80, from: "node") == "remote \(seen)")
    }

    @Test(arguments: IPFamily.allCases)
    func `A translator that starts anew finds connections and stand-ins as they were`(family: IPFamily) throws {
        let lab = try NodeLab()
        var node: Node? = try lab.run(in: "node") { try Node() }
        if let node { try lab.run(in: "node") { try serve(family, by: "pod-2", "udp", on: node) } }
        let flow = try lab.startFlow(clusterIP(family, 1), 80, from: "pod-1")
        #expect(flow.isAnswered(by: "pod-2"))
        let before = try node?.table(family).translations
        node = nil
        let next = try lab.run(in: "node") { try Node() }
        #expect(try next.table(family).translations == before, "they stand in the kernel")
        try lab.run(in: "node") { try serve(family, by: "pod-2", "udp", on: next) }
        #expect(flow.isAnswered(by: "pod-2"))
        #expect(try next.table(family).translations == before)
    }
}
