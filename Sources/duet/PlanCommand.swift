import AddressPlanning
import Addresses
import ArgumentParser
import JSON
import LocalCluster

/// `duet plan`: questions to ask before a cluster is made.
struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Plan a cluster.", subcommands: [PlanAddresses.self])
}

/// `duet plan addresses`: how many nodes, pods and Services fit into prefixes, and what runs out first.
struct PlanAddresses: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "addresses",
        abstract: "Tell how many nodes, pods and Services fit into prefixes, what runs out first, and when.",
        discussion: """
            duet plan addresses --prefixes 10.12.0.0/22,10.77.16.0/23,2001:db8:7::/48 \\
                --node-block-ipv4 26 --pods-per-node 60 --nodes 4 --nodes-per-day 0.5
            """)

    /// The forms of the answer.
    enum Output: String, ExpressibleByArgument, CaseIterable {
        case text, json, svg
    }

    @Option(help: "Prefixes for pods, any number of both families, separated by commas.")
    var prefixes: String

    @Option(help: "Prefixes for Services.")
    var servicePrefixes: String?

    @Option(help: "Prefix length of a node's IPv4 block: 26 or /26.")
    var nodeBlockIpv4 = "/24"

    @Option(help: "Prefix length of a node's IPv6 block.")
    var nodeBlockIpv6 = "/64"

    @Option(help: "The most pods that a node runs.")
    var podsPerNode = 110

    @Option(help: "Nodes of today.")
    var nodes = 0

    @Option(help: "Pods of today, without those in the network of their node.")
    var pods = 0

    @Option(help: "Services of today.")
    var services = 0

    @Option(help: "Nodes that come every day; 0.1 is one in ten days.")
    var nodesPerDay: Double?

    @Option(help: "Pods that come every day.")
    var podsPerDay: Double?

    @Option(help: "Services that come every day.")
    var servicesPerDay: Double?

    @Option(name: .shortAndLong, help: "Form of the answer: text, json or svg.")
    var output = Output.text

    func validate() throws {
        let amounts = [Double(nodes), Double(pods), Double(services)]
        guard
            (amounts + [nodesPerDay, podsPerDay, servicesPerDay].compactMap(\.self)).allSatisfy({ $0 >= 0 && $0 < 1e9 })
        else { throw ValidationError("numbers of nodes, pods and Services are between 0 and a billion") }
        _ = try plan()
    }

    private func plan() throws -> ClusterPlan {
        do {
            return try ClusterPlan(try request())
        } catch let error as PlanError {
            throw ValidationError(error.description)
        }
    }

    func run() throws {
        let plan = try plan()
        switch output {
        case .text: print(plan.text, terminator: "")
        case .json: print(plan.json.text(pretty: true))
        case .svg: print(plan.svg, terminator: "")
        }
    }

    private func request() throws -> ClusterPlan.Request {
        let rates = [nodesPerDay, podsPerDay, servicesPerDay]
        let isGrowing = rates.contains { $0 != nil }
        return ClusterPlan.Request(
            podPrefixes: try ClusterSpec.prefixes(parsing: prefixes, option: "--prefixes"),
            servicePrefixes: try servicePrefixes.map {
                try ClusterSpec.prefixes(parsing: $0, option: "--service-prefixes")
            } ?? [],
            blockLengths: [
                .ipv4: try Self.length(nodeBlockIpv4, option: "--node-block-ipv4"),
                .ipv6: try Self.length(nodeBlockIpv6, option: "--node-block-ipv6"),
            ], podsPerNode: podsPerNode,
            today: .init(nodes: Double(nodes), pods: Double(pods), services: Double(services)),
            growth: isGrowing
                ? .init(nodes: nodesPerDay ?? 0, pods: podsPerDay ?? 0, services: servicesPerDay ?? 0) : nil)
    }

    private static func length(_ text: String, option: String) throws -> Int {
        guard let length = Int(text.hasPrefix("/") ? String(text.dropFirst()) : text) else {
            throw ValidationError("\(option): \"\(text)\" is no prefix length such as /26")
        }
        return length
    }
}
