import Addresses
import Conntrack
import Glibc
import KubernetesAPI
import Linux
import Logging
import NFTables
import ServiceProxy
import TestSupport
import Testing

/// A kernel in memory that refuses what it is told to refuse.
private final class FaultyKernel: KernelConnection {
    private var rules = NFTablesFake()
    /// What the next calls fail with; nil lets one through.
    var failures: [Errno?] = []
    private(set) var refused = 0

    private func mayFail() throws {
        guard !failures.isEmpty, let failure = failures.removeFirst() else { return }
        refused += 1
        throw failure
    }

    func commit(_ transaction: Transaction) throws {
        try mayFail()
        try rules.commit(transaction)
    }

    func generation() throws -> UInt32 {
        try mayFail()
        return rules.generation()
    }

    func chains(of table: Table) throws -> [Chain] {
        try mayFail()
        return rules.chains(of: table)
    }

    func rules(of table: Table) throws -> [RuleEntry] { rules.rules(of: table) }
    func sets(of table: Table) throws -> [NamedSet] { rules.sets(of: table) }

    func elements(of table: Table, set: String) throws -> [Element] {
        try mayFail()
        return rules.elements(of: table, set: set)
    }

    func forgetFlows(_ family: IPFamily, where isStale: (ConntrackEntry) -> Bool) throws -> Int {
        try mayFail()
        return 0
    }

    /// Deletes an element behind the proxy's back.
    func lose(_ set: String, in table: Table) throws {
        guard let element = rules.elements(of: table, set: set).first else { return }
        var key = element
        key.value = .none
        try rules.commit(Transaction([.deleteElements(table, set: set, [key])]))
    }

    /// The last of what was committed, and everything, for counting.
    var committed: [Transaction] { rules.committed }
}

@Suite("Faults of the kernel, and hostile objects")
struct FaultTests {
    private func reconciler(_ family: IPFamily, _ kernel: FaultyKernel) throws -> TableReconciler {
        try TableReconciler(
            family: family, nodeName: "node", kernel: kernel,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    /// A random Service, sticky or not, with a node port or not.
    private func service(
        _ number: UInt128, _ family: IPFamily, _ generator: inout SeededGenerator
    ) -> Service {
        var object = ServiceProxyTests.service(
            "web-\(number)", [clusterIP(family, number)],
            nodePort: Bool.random(using: &generator) ? 30_000 + Int(number) : nil,
            transport: ["TCP", "UDP", "SCTP"].randomElement(using: &generator) ?? "TCP")
        object.spec?.sessionAffinity = Bool.random(using: &generator) ? "ClientIP" : "None"
        return object
    }

    @Test(
        "Whatever the kernel refuses, and whatever gets lost in it, it ends with the table that the objects say",
        arguments: IPFamily.allCases, 0..<12 as Range<UInt64>)
    func refusals(family: IPFamily, seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let kernel = FaultyKernel()
        let table = try reconciler(family, kernel)
        let name = Table(family: Table.Family(family), name: "duet-proxy")
        let errors: [Errno?] = [Errno(rawValue: ENOMEM), .noBufferSpace, .noEntry, .exists, .busy, nil, nil, nil]
        for step in 0..<40 {
            let number = UInt128.random(in: 1...6, using: &generator)
            let object = service(number, family, &generator)
            switch Int.random(in: 0..<8, using: &generator) {
            case 0: table.remove(object)
            case 1...3: table.update(object)
            case 4:
                try kernel.lose(["services", "endpoints", "hairpins"].randomElement(using: &generator) ?? "", in: name)
            default:
                let pods = (0..<Int.random(in: 0...4, using: &generator)).map { podIP(family, UInt128($0) + number) }
                var ends = slice("web-\(number)", family, pods)
                ends.ports = ["TCP", "UDP", "SCTP"].map { EndpointPort(name: "", port: 8080, protocol: $0) }
                table.update(ends)
            }
            kernel.failures = (0..<Int.random(in: 0...3, using: &generator)).map { _ in
                errors.randomElement(using: &generator) ?? nil
            }
            // The engine tries again after a failure, as here.
            var attempts = 0
            while table.hasPendingChanges, attempts < 20 {
                _ = try? table.flush()
                attempts += 1
            }
            #expect(attempts < 20, "seed \(seed), step \(step)")
            kernel.failures = []
        }
        _ = try table.audit()
        #expect(try table.audit() == TableReconciler.Report(), "seed \(seed)")
        #expect(kernel.refused > 0 && kernel.committed.count > 1)
    }

    @Test("A family that the kernel lacks is left out; where it lacks all there is no proxy")
    func lackingFamilies() throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        for lacking in [[], [IPFamily.ipv4], [.ipv6], IPFamily.allCases] {
            func open() throws -> [IPFamily] {
                try TableReconciler.openEach(logger: logger) { family in
                    let kernel = FaultyKernel()
                    // It lists nothing, and takes nothing.
                    if lacking.contains(family) { kernel.failures = [nil, .notSupported] }
                    return try reconciler(family, kernel).family
                }
            }
            if lacking == IPFamily.allCases {
                #expect(throws: Errno.notSupported) { try open() }
            } else {
                #expect(try open() == IPFamily.allCases.filter { !lacking.contains($0) })
            }
        }
    }

    @Test("A Service of any size finds its chains there", arguments: IPFamily.allCases)
    func growth(family: IPFamily) throws {
        let kernel = FaultyKernel()
        let table = try reconciler(family, kernel)
        /// Gives a Service with a way in of each kind so many endpoints.
        func update(_ number: UInt128, isLocal: Bool, endpoints count: UInt128) {
            let name = "web-\(number)"
            var web = ServiceProxyTests.service(name, [clusterIP(family, number)], nodePort: 30_080 + Int(number))
            web.spec?.externalIPs = [podIP(family, number).description]
            web.spec?.internalTrafficPolicy = isLocal ? "Local" : "Cluster"
            web.spec?.externalTrafficPolicy = isLocal ? "Local" : "Cluster"
            table.update(web)
            var ends = slice(name, family, (1...count).map { address(family, network: 1000, $0) })
            for index in 0..<Int(count) { ends.endpoints?[index].nodeName = "node" }
            table.update(ends)
        }
        try table.flush()
        var before = kernel.committed.count
        for count in 1...4 as ClosedRange<UInt128> {
            update(1, isLocal: false, endpoints: count)
            update(2, isLocal: true, endpoints: count)
            try table.flush()
        }
        var operations = kernel.committed[before...].flatMap(\.operations)
        // Where such Services are there when the table is made, any number of endpoints has its chains.
        try kernel.commit(Transaction([.deleteTable(Table(family: Table.Family(family), name: "duet-proxy"))]))
        #expect(try table.audit().isRebuilt)
        before = kernel.committed.count
        for count in [2, 16, 17, 40, 300, 4096] as [UInt128] {
            update(1, isLocal: false, endpoints: count)
            update(2, isLocal: true, endpoints: count)
            try table.flush()
        }
        operations += kernel.committed[before...].flatMap(\.operations)
        #expect(operations.count > 50)
        for operation in operations {
            switch operation {
            case .addElements, .deleteElements: break
            default: Issue.record("\(operation)")
            }
        }
    }

    @Test("Hostile objects leave the rest of the table right", arguments: IPFamily.allCases)
    func hostileObjects(family: IPFamily) throws {
        let other = IPFamily.allCases.first { $0 != family } ?? family
        let kernel = FaultyKernel()
        let table = try reconciler(family, kernel)
        table.update(ServiceProxyTests.service("web", [clusterIP(family, 1)], nodePort: 30_080))
        table.update(slice("web", family, [podIP(family, 1), podIP(family, 2)]))
        try table.flush()
        let own = Call(from: podIP(family, 9), to: clusterIP(family, 1), .tcp, 80)
        let expected = table.outcome(of: own, nodeAddresses: [])
        #expect(
            expected
                == .delivered(
                    to: [
                        Backend(address: podIP(family, 1), port: 8080), Backend(address: podIP(family, 2), port: 8080),
                    ],
                    masqueraded: false))
        // Duplicate ports and addresses, of both families in one place, and numbers that are none.
        var evil = ServiceProxyTests.service("evil", [clusterIP(family, 5), clusterIP(other, 5)], nodePort: 30_080)
        evil.spec?.ports = [0, 80, 80, -1, 65_536, 1 << 40].map {
            ServicePort(name: "a", protocol: "TCP", port: $0, nodePort: $0)
        }
        evil.spec?.ports?.append(ServicePort(name: "a", protocol: "QUIC", port: 80))
        evil.spec?.externalIPs = [
            clusterIP(family, 1).description, clusterIP(other, 1).description, "", "host", "1.2.3", "::%1",
        ]
        evil.spec?.loadBalancerSourceRanges = ["", "/", "10.0.0.0/99", "::/129", "0.0.0.0/0", "0.0.0.0/0", "::/0"]
        evil.spec?.type = "LoadBalancer"
        evil.spec?.sessionAffinity = "ClientIP"
        evil.spec?.sessionAffinityConfig = SessionAffinityConfig(clientIP: ClientIPConfig(timeoutSeconds: -5))
        evil.status = ServiceStatus(
            loadBalancer: LoadBalancerStatus(ingress: [
                LoadBalancerIngress(ip: clusterIP(family, 1).description), LoadBalancerIngress(ip: "nonsense"),
            ]))
        table.update(evil)
        var ends = slice("evil", family, [])
        ends.endpoints =
            ["", "nonsense", podIP(other, 1).description, podIP(family, 1).description, podIP(family, 1).description]
            .map { Endpoint(addresses: [$0]) } + [Endpoint(addresses: [])]
        ends.ports = [0, 8080, 8080, -1, 70_000, nil].map { EndpointPort(name: "a", port: $0, protocol: "TCP") }
        table.update(ends)
        var mixed = slice("web", other, [podIP(family, 7)])
        mixed.metadata.name = "web-mixed"
        table.update(mixed)
        try table.flush()
        #expect(table.outcome(of: own, nodeAddresses: []) == expected)
        #expect(try table.audit() == TableReconciler.Report())
        table.remove(evil)
        table.remove(ends)
        table.remove(mixed)
        try table.flush()
        #expect(table.outcome(of: own, nodeAddresses: []) == expected)
        #expect(try table.audit() == TableReconciler.Report())
    }

    @Test(
        "Random nonsense compiles to a table that the kernel takes, and that does not depend on how it came about",
        arguments: IPFamily.allCases, 0..<12 as Range<UInt64>)
    func nonsense(family: IPFamily, seed: UInt64) throws {
        var source = HostileObjects(family: family, seed: seed)
        let kernel = FaultyKernel()
        let table = try reconciler(family, kernel)
        var services: [String: Service] = [:]
        var slices: [String: EndpointSlice] = [:]
        for step in 0..<60 {
            let web = source.service()
            let ends = source.slice()
            if source.chance(4) {
                table.remove(web)
                table.remove(ends)
                (services[web.name], slices[ends.name]) = (nil, nil)
            } else {
                table.update(web)
                table.update(ends)
                (services[web.name], slices[ends.name]) = (web, ends)
            }
            let before = kernel.committed.count
            try table.flush()
            // The kernel refused nothing, so nothing had to be compared and done again.
            #expect(kernel.committed.count <= before + 1, "seed \(seed), step \(step)")
        }
        #expect(try table.audit() == TableReconciler.Report(), "seed \(seed)")
        let successor = try reconciler(family, kernel)
        services.values.forEach { successor.update($0) }
        slices.values.forEach { successor.update($0) }
        #expect(try successor.flush().operations == 0, "seed \(seed)")
    }

    @Test("What a change costs does not depend on how many Services there are", arguments: IPFamily.allCases)
    func costOfChange(family: IPFamily) throws {
        var costs: [[Int]] = []
        for count in [10, 1000] as [UInt128] {
            let kernel = FaultyKernel()
            let table = try reconciler(family, kernel)
            for number in 1...count {
                table.update(ServiceProxyTests.service("web-\(number)", [clusterIP(family, number)]))
                table.update(slice("web-\(number)", family, [podIP(family, 1), podIP(family, 2)]))
            }
            try table.flush()
            // Chains of the shapes that follow exist from here on.
            table.update(slice("web-3", family, [podIP(family, 1), podIP(family, 2), podIP(family, 3)]))
            try table.flush()
            table.update(slice("web-4", family, [podIP(family, 1), podIP(family, 2), podIP(family, 4)]))
            let before = kernel.committed.count
            let report = try table.flush()
            #expect(kernel.committed.count == before + 1)
            let transaction = kernel.committed[before]
            costs.append([report.elements, transaction.operations.count, transaction.elementCount])
        }
        // The slot, the hairpin, and the action in its new form: deleted and added.
        #expect(costs == [[3, 4, 4], [3, 4, 4]])
    }
}

extension Transaction {
    /// How many elements it adds and deletes.
    fileprivate var elementCount: Int {
        operations.reduce(0) { count, operation in
            switch operation {
            case .addElements(_, _, let elements), .deleteElements(_, _, let elements): count + elements.count
            default: count
            }
        }
    }
}
