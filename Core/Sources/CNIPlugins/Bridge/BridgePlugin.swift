import Addresses
public import CNI
import RouteNetlink

/// The bridge plugin: pods of a node on a common link, the bridge as their gateway where wanted.
public struct BridgePlugin: CNIPlugin {
    /// The name under which a runtime executes it.
    public let name = "bridge"

    /// Makes the plugin.
    public init() {}

    /// Makes bridge and link, gets addresses, and configures both; gives back all but the bridge when anything fails.
    public func add(_ request: CNIRequest) throws -> CNIResult {
        let configuration = try BridgeConfiguration(request)
        var host = try RouteSocket()
        let bridge = try Bridge.ensure(configuration, host: &host)
        var namespace = try ContainerNamespace(request.namespacePath)
        let pair = try VethPair.create(
            request.interfaceName, mtu: configuration.mtu, mac: configuration.mac, in: &namespace, host: &host)
        var result = CNIResult()
        do {
            try bridge.attach(pair.host.index, configuration, host: &host)
            if configuration.hasAddresses {
                result = try connect(request, configuration, bridge, pair, &namespace, &host)
            } else if !configuration.leavesInterfaceDown {
                try namespace.routes.setUp(pair.container.index)
            }
        } catch {
            // Nothing of this attachment may stay behind; the first failure is the one to tell.
            _ = try? namespace.deleteLink(named: request.interfaceName)
            throw error
        }
        // The bridge takes its hardware address from its ports, so it is known only now.
        let bridgeLink = try host.link(at: bridge.index)
        result.interfaces = [
            CNIResult.Interface(
                name: configuration.bridge, mac: bridgeLink?.mac?.description, mtu: bridgeLink?.mtu),
            CNIResult.Interface(pair.host),
            CNIResult.Interface(pair.container, sandbox: request.namespacePath),
        ]
        if !configuration.dns.isEmpty { result.dns = configuration.dns }
        return result
    }

    /// Deletes the link, frees the addresses and removes the masquerade rules.
    public func delete(_ request: CNIRequest) throws {
        let configuration = try BridgeConfiguration(request)
        if var namespace = try ContainerNamespace.ifPresent(request.namespacePath) {
            try namespace.deleteLink(named: request.interfaceName)
        }
        if configuration.hasAddresses { try AddressManagement.forward(request) }
        if configuration.masquerades { try Masquerade.remove(request) }
    }

    /// Verifies bridge, port and the container's interface against the previous result.
    public func check(_ request: CNIRequest) throws {
        let configuration = try BridgeConfiguration(request)
        let check = try AttachmentCheck(request)
        if configuration.hasAddresses { try AddressManagement.forward(request) }
        var host = try RouteSocket()
        let bridge = try Bridge.existing(configuration.bridge, host: &host)
        var namespace = try ContainerNamespace(request.namespacePath)
        let container = try check.verify(in: &namespace)
        guard
            let name = check.result.interfaces.first(where: { $0.sandbox == nil && $0.name != configuration.bridge })?
                .name,
            let port = try host.link(named: name)
        else {
            throw CNIError("Error: host interface of \(container.name) not found")
        }
        guard port.master == bridge.index, container.peer == port.index else {
            throw CNIError(
                "Error: host interface \(name) is not the peer of \(container.name) on bridge \(configuration.bridge)")
        }
    }

    /// Passes on to the IPAM plugin, then removes masquerade rules of attachments that are gone.
    public func collectGarbage(_ request: CNIRequest) throws {
        try collectGarbage(request, masquerades: try BridgeConfiguration(request).masquerades)
    }

    /// Able to serve when the IPAM plugin is.
    public func status(_ request: CNIRequest) throws {
        if try BridgeConfiguration(request).hasAddresses { try AddressManagement.forward(request) }
    }

    private func connect(
        _ request: CNIRequest, _ configuration: BridgeConfiguration, _ bridge: Bridge, _ pair: VethPair,
        _ namespace: inout ContainerNamespace, _ host: inout RouteSocket
    ) throws -> CNIResult {
        var result = try AddressManagement.add(request)
        do {
            let gateways = BridgeGateways(configuration)
            gateways.complete(&result)
            let index = pair.container.index
            let name = pair.container.name
            // Neighbours that knew the address elsewhere are told of its new place.
            try namespace.set(
                [("net/ipv4/conf/\(name)/arp_notify", "1")]
                    + ContainerInterface.parameters(
                        of: name, families: result.families, detectsDuplicates: configuration.detectsDuplicates))
            try namespace.routes.setUp(index)
            for entry in result.addresses {
                try namespace.routes.addAddress(
                    entry.address, index,
                    flags: ContainerInterface.flags(
                        entry.address.address.family, detectsDuplicates: configuration.detectsDuplicates),
                    broadcast: ContainerInterface.broadcast(entry.address))
            }
            try namespace.add(ContainerInterface.routes(result, interface: index))
            guard try host.waitUntilRunning(pair.host.index), try namespace.routes.waitUntilRunning(index) else {
                throw CNIError("bridge port in error state: down")
            }
            try namespace.routes.waitUntilUsable(result.addresses.map(\.address.address), on: index)
            if configuration.isGateway {
                try bridge.assign(gateways.addresses(result), configuration, host: &host)
                try Forwarding.enable(result.families)
            }
            if configuration.masquerades { try Masquerade.add(request, result.addresses.map(\.address)) }
            return result
        } catch {
            AddressManagement.undo(request)
            throw error
        }
    }
}
