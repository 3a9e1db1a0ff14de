import Addresses
public import CNI
import Linux
import Netlink
import RouteNetlink

/// The ptp plugin: a veth pair with routes and no shared link, one pod an end.
public struct PointToPointPlugin: CNIPlugin {
    /// The name under which a runtime executes it.
    public let name = "ptp"

    /// Makes the plugin.
    public init() {}

    /// Gets addresses and connects the container; gives back all of it when anything fails.
    public func add(_ request: CNIRequest) throws -> CNIResult {
        let configuration = try PointToPointConfiguration(request.configuration)
        var namespace = try ContainerNamespace(request.namespacePath)
        var result = try AddressManagement.add(request)
        do {
            try Forwarding.enable(result.families)
            try connect(request, configuration, &result, &namespace)
        } catch {
            AddressManagement.undo(request)
            throw error
        }
        if !configuration.dns.isEmpty { result.dns = configuration.dns }
        return result
    }

    /// Deletes the link with all that depends on it, then frees the addresses: whoever gets one next finds its route gone.
    public func delete(_ request: CNIRequest) throws {
        if var namespace = try ContainerNamespace.ifPresent(request.namespacePath) {
            _ = try namespace.routes.deleteLink(named: request.interfaceName)
        }
        if !request.configuration.ipamType.isEmpty { try AddressManagement.forward(request) }
        if request.configuration.json.isTrue("ipMasq") { try Masquerade.remove(request) }
    }

    /// Verifies the container's interface against the previous result.
    public func check(_ request: CNIRequest) throws {
        var namespace = try ContainerNamespace(request.namespacePath)
        try AddressManagement.forward(request)
        let check = try AttachmentCheck(request, .pointToPoint)
        let link = try check.verifyLink(in: &namespace)
        try check.verifyAddresses(of: link, in: &namespace)
    }

    /// Passes on to the IPAM plugin, then removes links and masquerade rules of attachments that are gone.
    public func collectGarbage(_ request: CNIRequest) throws {
        let configuration = try PointToPointConfiguration(request.configuration)
        try collectGarbage(request, masquerades: configuration.masquerades)
    }

    /// Able to serve when the IPAM plugin is.
    public func status(_ request: CNIRequest) throws {
        try AddressManagement.forward(request)
    }

    private func connect(
        _ request: CNIRequest, _ configuration: PointToPointConfiguration, _ result: inout CNIResult,
        _ namespace: inout ContainerNamespace
    ) throws {
        let links = try PointToPointLinks(result.addresses)
        var host = try RouteSocket()
        let pair = try VethPair.create(
            request.interfaceName, mtu: configuration.mtu, in: &namespace, host: &host)
        do {
            try namespace.run {
                try ContainerInterface.prepare(
                    pair.container.name, families: result.families, detectsDuplicates: false)
            }
            try links.configureHostParameters(pair.host.name)
            let index = pair.container.index
            try namespace.make(
                [.bringUp(index)] + links.container(index)
                    + ContainerInterface.routes(result, interface: index, where: links.isBehindGateway))
            try links.configure(&host, pair.host.index, alias: AttachmentTag(request).comment)
            if configuration.masquerades { try Masquerade.add(request, result.addresses.map(\.address)) }
            // Last: meanwhile the kernel's workers have done what there is to wait for.
            guard try host.waitUntilOperational(pair.host.index), try namespace.routes.waitUntilOperational(index)
            else {
                throw CNIError("\(pair.host.name) and \(pair.container.name) stay without carrier")
            }
            try namespace.routes.waitUntilUsable(result.addresses.map(\.address.address), on: index)
            try host.waitUntilUsable(result.addresses.compactMap(\.gateway), on: pair.host.index)
        } catch {
            // Nothing may stay behind; the first failure is the one to tell.
            _ = try? namespace.routes.deleteLink(named: request.interfaceName)
            throw error
        }
        result.interfaces = [
            CNIResult.Interface(pair.host),
            CNIResult.Interface(pair.container, sandbox: request.namespacePath),
        ]
        for index in result.addresses.indices { result.addresses[index].interface = 1 }
    }
}
