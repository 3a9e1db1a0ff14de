import Addresses
public import CNI
import RouteNetlink

/// The loopback plugin: brings `lo` up in a container.
public struct LoopbackPlugin: CNIPlugin {
    /// The name under which a runtime executes it.
    public let name = "loopback"

    // Whatever CNI_IFNAME says: there is one loopback interface.
    private static let interface = "lo"

    /// Makes the plugin.
    public init() {}

    /// Brings the interface up; a previous result is passed on unchanged.
    public func add(_ request: CNIRequest) throws -> CNIResult {
        let previous = try request.configuration.previousResult()
        var namespace = try ContainerNamespace(request.namespacePath)
        let link = try namespace.link(named: Self.interface)
        try namespace.routes.setUp(link.index)
        let addresses = try namespace.routes.addresses(link.index)
        if let foreign = addresses.first(where: { !$0.address.address.isLoopback }) {
            throw CNIError("loopback interface found with non-loopback address \"\(foreign.address.address)\"")
        }
        if let previous { return previous }
        var result = CNIResult()
        result.interfaces = [
            CNIResult.Interface(name: Self.interface, mac: "00:00:00:00:00:00", sandbox: request.namespacePath)
        ]
        result.addresses = IPFamily.allCases.compactMap { family in
            addresses.first { $0.address.address.family == family }.map { CNIResult.Address($0.address, interface: 0) }
        }
        return result
    }

    /// Brings the interface down; a namespace that is gone is no error.
    public func delete(_ request: CNIRequest) throws {
        guard var namespace = try ContainerNamespace.ifPresent(request.namespacePath) else { return }
        try namespace.routes.setDown(try namespace.link(named: Self.interface).index)
    }

    /// Verifies that the interface is up.
    public func check(_ request: CNIRequest) throws {
        var namespace = try ContainerNamespace(request.namespacePath)
        guard try namespace.link(named: Self.interface).isUp else { throw CNIError("loopback interface is down") }
    }

    /// Nothing outlives a container's namespace.
    public func collectGarbage(_ request: CNIRequest) throws {}

    /// Always able to serve.
    public func status(_ request: CNIRequest) throws {}
}
