import Addresses
import ArgumentParser
import JSON
import KubernetesAPI
import KubernetesClient
import Linux
import LocalCluster
import NodeTranslation
import PodRouting
import ServiceProxy

/// `duet explain`: what becomes of a call, from what API and kernel hold now.
struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Tell what becomes of a call: endpoints and why others are left out, source, route, translation.",
        discussion: """
            It reads the API and the kernel of the node that it runs on, or of a node of the local cluster, and says
            where the kernel disagrees with the API; exit status 1 when it does.

            duet explain web/client web/web:80
            duet explain web/client 198.51.100.9:443
            duet explain 2001:db8::7 '[2001:db8::10]:443' --node-name node-1 -o json
            """)

    /// The forms of the answer.
    enum Output: String, ExpressibleByArgument, CaseIterable {
        case text, json
    }

    @Argument(help: ArgumentHelp("Who calls: a pod, or an address.", valueName: "pod|address"))
    var caller: String

    @Argument(
        help: ArgumentHelp("What is called: a Service or an address, and a port.", valueName: "service|address:port"))
    var target: String

    @Option(name: [.short, .long], help: "Namespace of pods and Services that are named without one.")
    var namespace = "default"

    @Option(name: .customLong("protocol"), help: "tcp, udp or sctp (default: that of the port).")
    var transport: String?

    @Option(help: "Kubeconfig of the cluster (default: the local cluster's administrator).")
    var kubeconfig: String?

    @Option(help: "Name of the node whose kernel is read (default: the pod's).")
    var nodeName: String?

    @Option(name: .shortAndLong, help: "Form of the answer: text or json.")
    var output = Output.text

    func validate() throws {
        _ = try question()
    }

    private func question() throws -> ExplainQuestion {
        do {
            return try ExplainQuestion(caller: caller, target: target, transport: transport, namespace: namespace)
        } catch {
            throw ValidationError(error.description)
        }
    }

    func run() async throws {
        let question = try question()
        let path = try kubeconfig ?? LocalCluster().adminKubeconfig()
        let client = try KubernetesClient(
            configuration: ClientConfiguration(kubeconfigPath: path), userAgent: "duet-explain")
        let answer: Answer
        do {
            answer = try await explain(question, client)
        } catch {
            await client.shutdown()
            throw error
        }
        await client.shutdown()
        switch output {
        case .text: print(answer.call.text + (answer.translation?.text ?? ""), terminator: "")
        case .json: print(answer.json.text(pretty: true))
        }
        guard answer.call.isAgreed else { throw ExitCode.failure }
    }

    /// What becomes of the call, and of the pod's packets to an IPv4 destination that it has no address for.
    private struct Answer {
        let call: Explanation
        let translation: TranslationAccount?

        var json: JSONValue {
            guard case .object(var object) = call.json, let translation else { return call.json }
            object["translation"] = translation.json
            return .object(object)
        }
    }

    private func explain(_ question: ExplainQuestion, _ client: KubernetesClient) async throws -> Answer {
        let node = try await node(of: question, client)
        let place = kubeconfig == nil ? try LocalCluster().networkNamespace(of: node) : nil
        // What was written to the API a moment ago is on its way to the kernel.
        for _ in 0..<4 {
            let answer = try await explainOnce(question, client, node, place)
            if answer.call.isAgreed { return answer }
            try await Task.sleep(for: .milliseconds(500))
        }
        return try await explainOnce(question, client, node, place)
    }

    private func explainOnce(
        _ question: ExplainQuestion, _ client: KubernetesClient, _ node: String, _ place: String?
    ) async throws -> Answer {
        let snapshot = try await LiveState.snapshot(client, nodeName: node)
        let nodes = try await clusterNodes(client)
        return try Self.inside(place) {
            var explainer = Explainer(snapshot, kernel: try LiveState.kernel())
            explainer.add(try LiveState.routes(to: try explainer.destinations(of: question)))
            return Answer(
                call: try explainer.explain(question),
                translation: try Self.translation(
                    question, callers: explainer.addresses(ofCallerOf: question), on: node, of: nodes))
        }
    }

    /// What translation does with the packets of callers of IPv6 alone; nil when they need none.
    private static func translation(
        _ question: ExplainQuestion, callers: [IPAddress], on node: String, of nodes: [ClusterNode]
    ) throws -> TranslationAccount? {
        guard case .address(let target) = question.target, case .v6(let caller)? = callers.first,
            callers.allSatisfy({ $0.family == .ipv6 }),
            let view = try TranslationView(of: caller, to: target, on: node, of: nodes)
        else { return nil }
        return view.account(of: caller, to: target)
    }

    /// The nodes, with all that agents know of them.
    private func clusterNodes(_ client: KubernetesClient) async throws -> [ClusterNode] {
        // Not every API server has the kind.
        let networks = (try? await client.list(NodeNetwork.self).items) ?? []
        let byName = Dictionary(networks.map { ($0.name, $0) }) { first, _ in first }
        return try await client.list(Node.self).items.map { ClusterNode($0).adding(byName[$0.name]) }
    }

    private static func inside<Value>(_ namespace: String?, _ body: () throws -> Value) throws -> Value {
        guard let namespace else { return try body() }
        return try NetworkNamespace.open(path: namespace).run(body)
    }

    /// The node that was named, else that of the pod that calls, else the only one.
    private func node(of question: ExplainQuestion, _ client: KubernetesClient) async throws -> String {
        if let nodeName { return nodeName }
        if case .pod(let name) = question.caller {
            let pod = try await client.get(Pod.self, namespace: name.namespace, name: name.name)
            if let node = pod.spec?.nodeName { return node }
        }
        let nodes = try await client.list(Node.self).items.map(\.name)
        guard nodes.count == 1 else {
            throw LocalClusterError(
                "the call may come by any of \(nodes.count) nodes",
                remedy: "Name one with --node-name: \(nodes.joined(separator: ", ")).")
        }
        return nodes[0]
    }
}
