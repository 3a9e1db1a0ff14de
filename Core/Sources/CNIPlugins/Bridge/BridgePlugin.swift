import Addresses
public import CNI
import Linux
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
            try bridge.attach(
                pair.host.index, alias: AttachmentTag(request).comment, hairpin: configuration.hairpin,
                isolated: configuration.isolatesPort, configuration.vlans, host: &host)
            if configuration.checksHardwareAddress, let mac = pair.container.mac {
                try SpoofCheck(request.attachment).add(
                    port: pair.host.name, mac: mac, owner: AttachmentTag(request))
            }
            if configuration.hasAddresses {
                try connect(request, configuration, bridge, pair, &result, &namespace, &host)
            } else if !configuration.leavesInterfaceDown {
                try namespace.routes.setUp(pair.container.index)
                try waitUntilOperational(pair, &namespace, &host)
            }
        } catch {
            // Nothing of this attachment may stay behind; the first failure is the one to tell.
            _ = try? namespace.routes.deleteLink(named: request.interfaceName)
            if configuration.checksHardwareAddress { try? SpoofCheck(request.attachment).remove() }
            throw error
        }
        // The bridge takes its hardware address from its ports, so it is known only now. A first port makes it operational,
        // to which the kernel sees when it is asked for the link.
        let bridgeLink =
            try bridge.isOperational ? host.summary(ofLink: bridge.name) : host.link(at: bridge.index)?.summary
        result.interfaces.insert(
            contentsOf: [
                CNIResult.Interface(name: bridge.name, mac: bridgeLink?.mac?.description, mtu: bridgeLink?.mtu),
                CNIResult.Interface(pair.host),
                CNIResult.Interface(pair.container, sandbox: request.namespacePath),
            ], at: 0)
        if !configuration.dns.isEmpty { result.dns = configuration.dns }
        return result
    }

    /// Deletes the link, frees the addresses and removes the rules.
    public func delete(_ request: CNIRequest) throws {
        let json = request.configuration.json
        if var namespace = try ContainerNamespace.ifPresent(request.namespacePath) {
            _ = try namespace.routes.deleteLink(named: request.interfaceName)
        }
        if !request.configuration.ipamType.isEmpty { try AddressManagement.forward(request) }
        if json.isTrue("macspoofchk") { try SpoofCheck(request.attachment).remove() }
        if json.isTrue("ipMasq") { try Masquerade.remove(request) }
    }

    /// Verifies bridge, port and the container's interface against the previous result.
    ///
    /// The bridge's hardware address is not compared: it may follow its ports.
    public func check(_ request: CNIRequest) throws {
        let configuration = try BridgeConfiguration(request)
        var namespace = try ContainerNamespace(request.namespacePath)
        if configuration.hasAddresses { try AddressManagement.forward(request) }
        let check = try AttachmentCheck(request, .bridge)
        var host = try RouteSocket()
        let bridge = try verifyBridge(configuration, check.result, &host)
        let container = try check.verifyLink(in: &namespace)
        for interface in check.result.interfaces where interface.sandbox == nil && interface.name != bridge.name {
            guard let port = try host.link(named: interface.name) else {
                throw CNIError("Interface name \(interface.name) not found")
            }
            guard port.index == container.peer, port.peer == container.index, port.master == bridge.index else {
                continue
            }
            if let mac = interface.mac, mac != port.mac?.description {
                throw CNIError("Interface \(interface.name) Mac doesn't match: \(mac) not found")
            }
            return try check.verifyAddresses(of: container, in: &namespace)
        }
        throw CNIError("CNI veth created for bridge \(configuration.bridge) was not found")
    }

    private func verifyBridge(
        _ configuration: BridgeConfiguration, _ result: CNIResult, _ host: inout RouteSocket
    ) throws -> Bridge {
        let name = configuration.bridge
        guard let described = result.interfaces.first(where: { $0.name == name }) else {
            throw CNIError("Interface name missing ")
        }
        guard let link = try host.link(named: name) else { throw CNIError("Interface name \(name) not found") }
        guard described.sandbox == nil else { throw CNIError("Interface \(name) should not be in sandbox") }
        guard link.kind == "bridge" else { throw CNIError("Interface \(name) does not have link type of bridge") }
        let bridge = Bridge(link)
        guard bridge.isPromiscuous == configuration.isPromiscuous else {
            throw CNIError(
                "Bridge interface \(name) configured Promisc Mode \(configuration.isPromiscuous) doesn't match current "
                    + "state: \(bridge.isPromiscuous) ")
        }
        return bridge
    }

    /// Passes on to the IPAM plugin, then removes links and rules of attachments that are gone.
    public func collectGarbage(_ request: CNIRequest) throws {
        let configuration = try BridgeConfiguration(request)
        let isObsolete = try AttachmentTag.isObsolete(request)
        try collectGarbage(request, masquerades: configuration.masquerades) {
            if configuration.checksHardwareAddress { try SpoofCheck.collectGarbage(where: isObsolete) }
        }
    }

    /// Able to serve when the IPAM plugin is.
    public func status(_ request: CNIRequest) throws {
        if try BridgeConfiguration(request).hasAddresses { try AddressManagement.forward(request) }
    }

    private func connect(
        _ request: CNIRequest, _ configuration: BridgeConfiguration, _ bridge: Bridge, _ pair: VethPair,
        _ result: inout CNIResult, _ namespace: inout ContainerNamespace, _ host: inout RouteSocket
    ) throws {
        result = try AddressManagement.add(request)
        do {
            let gateways = BridgeGateways(configuration)
            gateways.complete(&result)
            let index = pair.container.index
            let name = pair.container.name
            // Neighbours that knew the address elsewhere are told of its new place.
            try namespace.run {
                try Sysctl.change("net/ipv4/conf/\(name)/arp_notify", "1")
                try ContainerInterface.prepare(
                    name, families: result.families, detectsDuplicates: configuration.detectsDuplicates)
            }
            let addresses = result.addresses.map { entry in
                LinkChange.addAddress(
                    entry.address, index,
                    flags: ContainerInterface.flags(
                        entry.address.address.family, detectsDuplicates: configuration.detectsDuplicates),
                    broadcast: ContainerInterface.broadcast(entry.address))
            }
            try namespace.make(
                [.bringUp(index)] + addresses + ContainerInterface.routes(result, interface: index))
            if configuration.isGateway {
                let gateway = try gatewayLink(configuration, bridge, &result, &host)
                try gateway.assign(
                    gateways.addresses(result), isForced: configuration.forcesAddress, host: &host)
                try Forwarding.enable(result.families)
            }
            if configuration.masquerades { try Masquerade.add(request, result.addresses.map(\.address)) }
            // Last: meanwhile the kernel's workers have done what there is to wait for.
            try waitUntilOperational(pair, &namespace, &host)
            try namespace.routes.waitUntilUsable(result.addresses.map(\.address.address), on: index)
        } catch {
            AddressManagement.undo(request)
            throw error
        }
    }

    /// The link for the gateways' addresses; one beside the bridge goes into the result.
    private func gatewayLink(
        _ configuration: BridgeConfiguration, _ bridge: Bridge, _ result: inout CNIResult, _ host: inout RouteSocket
    ) throws -> GatewayLink {
        guard let vlans = configuration.vlans.gateway, let vlan = vlans.access else { return GatewayLink(bridge) }
        let gateway = try GatewayLink(bridge, vlans, vlan, host: &host)
        if let link = try host.summary(ofLink: gateway.name) { result.interfaces.append(CNIResult.Interface(link)) }
        return gateway
    }

    private func waitUntilOperational(
        _ pair: VethPair, _ namespace: inout ContainerNamespace, _ host: inout RouteSocket
    ) throws {
        guard try host.waitUntilOperational(pair.host.index),
            try namespace.routes.waitUntilOperational(pair.container.index)
        else {
            throw CNIError("bridge port in error state: down")
        }
    }
}
