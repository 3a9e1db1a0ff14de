public import CNI
import Netlink
import RouteNetlink

/// The bandwidth plugin: limits what a pod receives and sends.
///
/// The host's end of the pod's link sends to the pod at a limited rate. What it receives from the pod is led through a
/// link of its own, which limits it by sending too.
public struct BandwidthPlugin: CNIPlugin {
    /// The name under which a runtime executes it.
    public let name = "bandwidth"

    private static let ingressHandle = QueueingDiscipline.Handle(0xFFFF)

    /// Makes the plugin.
    public init() {}

    /// Sets the limits; leaves none when one fails.
    public func add(_ request: CNIRequest) throws -> CNIResult {
        let configuration = try BandwidthConfiguration(request.configuration)
        var result = try request.requiredPreviousResult("must be called as chained plugin")
        if configuration.ingress == nil && configuration.egress == nil { return result }
        var host = try RouteSocket()
        let link = try Self.hostLink(request, result, &host)
        let incoming = configuration.incoming(to: link)
        try incoming?.add(&host)
        guard configuration.egress != nil else { return result }
        do {
            let device = try Self.createDevice(request, mtu: link.mtu, &host)
            result.interfaces.append(CNIResult.Interface(device.summary))
            try Self.lead(link, through: device, configuration.outgoing(by: device), &host)
        } catch {
            try? host.deleteQueueingDiscipline(link.index, at: .ingress)
            if incoming != nil { try? host.deleteQueueingDiscipline(link.index, at: .root) }
            throw error
        }
        return result
    }

    /// Deletes the link that the pod's packets were led through; the other limits went with the pod's link.
    public func delete(_ request: CNIRequest) throws {
        var host = try RouteSocket()
        try Self.deleteDevice(request, &host)
    }

    /// Verifies the limits.
    public func check(_ request: CNIRequest) throws {
        let configuration = try BandwidthConfiguration(request.configuration)
        let result = try request.requiredPreviousResult("must be called as a chained plugin")
        if configuration.ingress == nil && configuration.egress == nil { return }
        var host = try RouteSocket()
        let link = try Self.hostLink(request, result, &host)
        try configuration.incoming(to: link)?.verify(&host)
        if configuration.egress != nil {
            let name = Self.deviceName(request)
            guard let device = try host.link(named: name) else { throw CNIError("get ifb device: \(name) not found") }
            try configuration.outgoing(by: device)?.verify(&host)
        }
    }

    /// Deletes the links of attachments that are gone; those that the reference plugin made do not tell whose they are.
    public func collectGarbage(_ request: CNIRequest) throws {
        try deleteLinks(kind: "ifb", where: try AttachmentTag.isObsolete(request))
    }

    /// Always able to serve.
    public func status(_ request: CNIRequest) throws {}

    private static func deviceName(_ request: CNIRequest) -> String {
        "bwp" + SHA512.hexadecimal(request.network + request.containerID, count: 12)
    }

    /// The host's end of the container's link, which must be one of the result's interfaces.
    private static func hostLink(
        _ request: CNIRequest, _ result: CNIResult, _ host: inout RouteSocket
    ) throws -> Link {
        if result.interfaces.isEmpty { throw CNIError("no interfaces provided") }
        var namespace = try ContainerNamespace(request.namespacePath)
        let container = try namespace.link(named: request.interfaceName)
        guard container.kind == "veth", let index = container.peer else {
            throw CNIError("container interface \(request.interfaceName) has no veth peer")
        }
        guard let link = try host.link(at: index),
            result.interfaces.contains(where: { $0.sandbox == nil && $0.name == link.name })
        else { throw CNIError("no veth peer of container interface found in host ns") }
        return link
    }

    /// Creates the link that the pod's packets are led through; deletes it again when it cannot be made ready.
    private static func createDevice(
        _ request: CNIRequest, mtu: Int, _ host: inout RouteSocket
    ) throws -> Link {
        let name = deviceName(request)
        try host.createLink(name: name, kind: "ifb", mtu: mtu)
        guard let device = try host.link(named: name) else { throw CNIError("\(name) vanished after its creation") }
        do {
            try host.setUp(device.index, alias: AttachmentTag(request).comment)
        } catch {
            try? host.deleteLink(device.index)
            throw error
        }
        return device
    }

    /// Leads what a link receives through a device, which limits it; deletes the device when that fails.
    private static func lead(
        _ link: Link, through device: Link, _ limit: LimitedTraffic?, _ host: inout RouteSocket
    ) throws {
        do {
            try host.addQueueingDiscipline(
                QueueingDiscipline(link: link.index, handle: ingressHandle, parent: .ingress, .ingress))
            try host.redirectIncoming(of: link.index, to: device.index, parent: ingressHandle)
            try limit?.add(&host)
        } catch {
            try? host.deleteLink(device.index)
            throw error
        }
    }

    private static func deleteDevice(_ request: CNIRequest, _ host: inout RouteSocket) throws(NetlinkError) {
        guard let device = try host.link(named: deviceName(request)) else { return }
        try host.deleteLink(device.index)
    }
}

extension BandwidthConfiguration {
    /// The limit of what a pod receives, at the host's end of its link.
    fileprivate func incoming(to link: Link) -> LimitedTraffic? {
        ingress.map { LimitedTraffic(link: link, bucket: $0, scope: scope, otherEnd: .source) }
    }

    /// The limit of what a pod sends, at the device that it is led through.
    fileprivate func outgoing(by device: Link) -> LimitedTraffic? {
        egress.map { LimitedTraffic(link: device, bucket: $0, scope: scope, otherEnd: .destination) }
    }
}
