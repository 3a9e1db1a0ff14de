import Addresses
public import CNI
import Conntrack
import Linux
import NFTables
import RouteNetlink

/// The portmap plugin: ports of the host that lead to ports of a container.
public struct PortMapPlugin: CNIPlugin {
    /// The name under which a runtime executes it.
    public let name = "portmap"

    /// Makes the plugin.
    public init() {}

    /// Maps the ports in the families of the container's addresses; maps none when one fails.
    public func add(_ request: CNIRequest) throws -> CNIResult {
        let configuration: PortMapConfiguration
        do throws(CNIError) {
            configuration = try PortMapConfiguration(request.configuration)
        } catch {
            throw error.prefixed("failed to parse config")
        }
        let result = try request.requiredPreviousResult("must be called as chained plugin")
        if configuration.mappings.isEmpty { return result }
        do {
            for pod in PortMapConfiguration.podAddresses(request, result) {
                try map(configuration, to: pod, request)
                forgetConnections(configuration.mappings, pod.address.family)
            }
        } catch {
            try? remove(request)
            throw error
        }
        return result
    }

    /// Removes the mappings, and those that the reference plugin made for the container.
    public func delete(_ request: CNIRequest) throws {
        try remove(request)
        // Mappings that ADD refused led nowhere.
        guard let configuration = try? PortMapConfiguration(request.configuration) else { return }
        for family in IPFamily.allCases { forgetConnections(configuration.mappings, family) }
    }

    /// Verifies that every port leads to the container, by our rules or by those of the reference plugin.
    public func check(_ request: CNIRequest) throws {
        let configuration = try PortMapConfiguration(request.configuration)
        let result = try request.requiredPreviousResult("Required prevResult missing")
        if configuration.mappings.isEmpty { return }
        var socket = try NFTablesSocket()
        for pod in PortMapConfiguration.podAddresses(request, result) {
            let family = pod.address.family
            let present = try PortMapTable.Content(family, &socket)
            if configuration.table(family).maps(configuration.mappings, to: pod.address, present) { continue }
            guard try ReferencePortMap(request).isPresent(family, &socket) else {
                throw CNIError(
                    "missing mappings of host ports to \(pod.address) in table \(PortMapTable.table(family))")
            }
        }
    }

    /// Removes mappings of attachments that are gone.
    public func collectGarbage(_ request: CNIRequest) throws {
        try removeElements(where: AttachmentTag.isObsolete(request))
    }

    /// Able to serve where nftables is.
    public func status(_ request: CNIRequest) throws {
        try Self.checkNFTables()
    }

    private func map(
        _ configuration: PortMapConfiguration, to pod: InterfaceAddress, _ request: CNIRequest
    ) throws {
        let family = pod.address.family
        let table = configuration.table(family)
        let mappings = configuration.mappings.filter { $0.address(family) != nil }
        if mappings.isEmpty { return }
        let sources = configuration.sources(of: pod)
        if !sources.isEmpty && family == .ipv4 { try letLoopbackOut(to: pod.address) }
        let tag = AttachmentTag(request)
        try NFTablesSocket.update { socket throws(NFTablesError) in
            table.addition(
                mappings, to: pod.address, from: sources, tag: tag,
                present: try PortMapTable.Content(family, &socket))
        }
    }

    /// Lets packets with the host's loopback address leave on the link that leads to a pod.
    private func letLoopbackOut(to pod: IPAddress) throws {
        var routes = try RouteSocket()
        guard let index = try routes.route(to: pod)?.interface, let link = try routes.link(at: index),
            !link.flags.contains(.loopback)
        else { return }
        do throws(SystemError) {
            try Sysctl.set("net/ipv4/conf/\(link.name)/route_localnet", "1")
        } catch {
            throw CNIError("unable to enable route_localnet: \(error)")
        }
    }

    private func remove(_ request: CNIRequest) throws {
        try removeElements(where: AttachmentTag(request).owns)
        try ReferencePortMap(request).remove()
    }

    private func removeElements(where isObsolete: (String) -> Bool) throws {
        for family in IPFamily.allCases {
            try NFTablesSocket.update { socket throws(NFTablesError) in
                try PortMapTable.Content(family, &socket).removal(family, where: isObsolete)
            }
        }
    }

    /// Makes the kernel look again where UDP packets to the ports go: it remembers by address and port alone.
    ///
    /// A connection that is remembered too long disturbs one sender; that must not fail the container.
    private func forgetConnections(_ mappings: [PortMapping], _ family: IPFamily) {
        for mapping in mappings where mapping.transport == .udp {
            guard let host = mapping.address(family), var socket = try? ConntrackSocket() else { continue }
            _ = try? socket.deleteEntries(
                family, transportProtocol: mapping.transport.number, destinationPort: mapping.hostPort
            ) { host.isUnspecified || $0.original.destination == host }
        }
    }
}
