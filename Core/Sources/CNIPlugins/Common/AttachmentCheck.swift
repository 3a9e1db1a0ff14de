import Addresses
import CNI
import Netlink
import RouteNetlink

/// What CHECK of `ptp` and `bridge` compares: the previous result with what the kernel has.
struct AttachmentCheck {
    /// The result of ADD.
    let result: CNIResult
    /// The interface in the container, as ADD described it.
    let container: CNIResult.Interface

    /// Finds the container's interface in the previous result.
    init(_ request: CNIRequest) throws(CNIError) {
        guard let result = try request.configuration.previousResult() else {
            throw CNIError("Required prevResult missing")
        }
        guard let own = result.interfaces.first(where: { $0.name == request.interfaceName && $0.sandbox != nil })
        else {
            throw CNIError(
                "Container interface name missing in prevResult: \(request.interfaceName)")
        }
        guard own.sandbox == request.namespacePath else {
            throw CNIError(
                "Sandbox in prevResult \(own.sandbox ?? "") doesn't match configured netns: \(request.namespacePath)")
        }
        self.result = result
        container = own
    }

    /// Verifies link, addresses and routes in the container; returns the link.
    func verify(in namespace: inout ContainerNamespace) throws -> Link {
        guard let link = try namespace.routes.link(named: container.name) else {
            throw CNIError("Container Interface name in prevResult: \(container.name) not found")
        }
        guard link.kind == "veth" else {
            throw CNIError("Error: Container interface \(container.name) not of type veth/p2p")
        }
        if let mac = container.mac, mac != link.mac?.description {
            throw CNIError(
                "Interface \(container.name) Mac \(mac) doesn't match container Mac: \(link.mac?.description ?? "")")
        }
        let present = Set(try namespace.routes.addresses(link.index).map(\.address))
        for address in result.addresses where !present.contains(address.address) {
            throw CNIError("Failed to match addr \(address.address) on interface \(container.name)")
        }
        for family in result.families {
            let routes = try namespace.routes.routes(family, table: Route.mainTable)
            for wanted in result.routes where wanted.destination.family == family && wanted.table == nil {
                let isThere = routes.contains { route in
                    route.destination == wanted.destination
                        && (wanted.gateway == nil || route.gateway == wanted.gateway)
                }
                guard isThere else {
                    throw CNIError("Expected Route \(wanted.destination) not found in routing table")
                }
            }
        }
        return link
    }
}
