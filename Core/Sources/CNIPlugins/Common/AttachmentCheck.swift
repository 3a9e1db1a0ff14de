import Addresses
import CNI
import RouteNetlink

/// What CHECK of `ptp` and `bridge` compares: the previous result with what the kernel has.
struct AttachmentCheck {
    /// The words in which the reference plugins differ.
    enum Wording {
        case bridge, pointToPoint

        fileprivate var prefix: String { self == .bridge ? "" : "ptp: " }
        fileprivate var kind: String { self == .bridge ? "veth" : "veth/p2p" }

        fileprivate func missing(_ name: String) -> String {
            self == .bridge
                ? "Interface name \(name) not found"
                : "ptp: Container Interface name in prevResult: \(name) not found"
        }
    }

    /// The result of ADD.
    let result: CNIResult
    /// The interface in the container, as ADD described it.
    let container: CNIResult.Interface

    private let wording: Wording

    /// Finds the container's interface in the previous result.
    init(_ request: CNIRequest, _ wording: Wording) throws(CNIError) {
        guard let result = try request.configuration.previousResult() else {
            throw CNIError("\(wording.prefix)Required prevResult missing")
        }
        let named = result.interfaces.filter { $0.name == request.interfaceName && $0.sandbox != nil }
        guard let own = named.first(where: { $0.sandbox == request.namespacePath }) else {
            throw CNIError(
                "Sandbox in prevResult \(named.first?.sandbox ?? "") doesn't match configured netns: "
                    + request.namespacePath)
        }
        self.result = result
        self.wording = wording
        container = own
    }

    /// Verifies that the container has its link; returns it.
    func verifyLink(in namespace: inout ContainerNamespace) throws -> Link {
        guard let link = try namespace.routes.link(named: container.name) else {
            throw CNIError(wording.missing(container.name))
        }
        guard link.kind == "veth" else {
            throw CNIError("Error: Container interface \(container.name) not of type \(wording.kind)")
        }
        if let mac = container.mac, mac != link.mac?.description {
            throw CNIError(
                "\(wording.prefix)Interface \(container.name) Mac \(mac) doesn't match container Mac: "
                    + (link.mac?.description ?? ""))
        }
        return link
    }

    /// Verifies the addresses and routes of the container's link.
    func verifyAddresses(of link: Link, in namespace: inout ContainerNamespace) throws {
        let present = Set(try namespace.routes.addresses(link.index).map(\.address))
        for family in result.families {
            let routes = try namespace.routes.routes(family, table: Route.mainTable)
            for entry in result.addresses where entry.address.address.family == family {
                guard present.contains(entry.address) else {
                    throw CNIError("Failed to match addr \(entry.address) on interface \(container.name)")
                }
                guard routes.contains(where: { $0.destination == entry.address.prefix }) else {
                    throw CNIError(
                        "Failed to find Gateway \(entry.gateway?.description ?? "<nil>") for interface "
                            + container.name)
                }
            }
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
    }
}
