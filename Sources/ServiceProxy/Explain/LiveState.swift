package import Addresses
internal import KubernetesAPI
package import KubernetesClient
internal import RouteNetlink

/// Reads what `duet explain` answers from: the API, and the kernel of the node in the namespace of the calling thread.
package enum LiveState {
    /// What the API holds now; throws when it may not be read.
    package static func snapshot(_ client: KubernetesClient, nodeName: String) async throws -> ClusterSnapshot {
        var snapshot = ClusterSnapshot()
        snapshot.services = try await client.list(Service.self).items
        snapshot.slices = try await client.list(EndpointSlice.self).items
        snapshot.namespaces = try await client.list(Namespace.self).items
        snapshot.pods = try await client.list(Pod.self).items
        snapshot.node = try await client.get(Node.self, namespace: nil, name: nodeName)
        // Not every cluster has these.
        snapshot.network = try await present { try await client.get(NodeNetwork.self, namespace: nil, name: nodeName) }
        snapshot.serviceRanges = try await present { try await client.list(ServiceCIDR.self).items } ?? []
        return snapshot
    }

    private static func present<Value>(_ read: () async throws -> Value) async throws -> Value? {
        do {
            return try await read()
        } catch let error as StatusError where error.code == 404 {
            return nil
        }
    }

    /// What the kernel holds now, by family.
    package static func kernel() throws -> [IPFamily: KernelView] {
        let rules = try LinuxConnection()
        var routes = try RouteSocket()
        let addresses = try routes.addresses().map(\.address.address)
        var views: [IPFamily: KernelView] = [:]
        for family in IPFamily.allCases {
            var view = KernelView()
            view.nodeAddresses = Set(addresses.filter { $0.family == family })
            for isOnLoopback in [false, true] where view.table == nil {
                let layout = TableLayout(family, ProxyOptions(answersOnLoopback: isOnLoopback))
                view.table = try KernelTable(reading: layout, from: rules)?.content
                view.answersOnLoopback = isOnLoopback && view.table != nil
            }
            views[family] = view
        }
        return views
    }

    /// The ways to addresses, for those that have one.
    package static func routes(to addresses: Set<IPAddress>) throws -> [IPAddress: Explanation.RouteAccount] {
        var socket = try RouteSocket()
        var accounts: [IPAddress: Explanation.RouteAccount] = [:]
        for address in addresses {
            guard let route = try socket.route(to: address) else { continue }
            let link = try route.interface.flatMap { try socket.link(at: $0)?.name }
            let text = "\(address)" + (route.gateway.map { " via \($0)" } ?? "") + (link.map { " dev \($0)" } ?? "")
            accounts[address] = Explanation.RouteAccount(text: text, source: route.source)
        }
        return accounts
    }
}
