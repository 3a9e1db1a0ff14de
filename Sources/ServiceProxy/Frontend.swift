package import Addresses

/// What a client connects to: an address, or any address of the node, and a port.
package struct Frontend: Hashable, Sendable {
    /// The address of the Service; nil for a node port, which answers on every address of the node.
    package let address: IPAddress?
    package let transport: TransportProtocol
    package let port: UInt16

    package init(address: IPAddress?, transport: TransportProtocol, port: UInt16) {
        self.address = address
        self.transport = transport
        self.port = port
    }
}

/// Where a connection ends: the address and port of one endpoint.
package struct Backend: Hashable, Comparable, Sendable {
    package let address: IPAddress
    package let port: UInt16

    package init(address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }

    package static func < (left: Backend, right: Backend) -> Bool {
        (left.address, left.port) < (right.address, right.port)
    }
}

/// One place in the random draw of a frontend: its backends stand in the slots `0..<count`.
package struct Slot: Hashable, Sendable {
    package let frontend: Frontend
    package let index: UInt32

    package init(_ frontend: Frontend, _ index: UInt32) {
        self.frontend = frontend
        self.index = index
    }
}

/// What happens to a new connection to a frontend.
package enum FrontendAction: Hashable, Sendable {
    /// It goes to one of so many slots, drawn at random.
    case balance(over: UInt32)
    /// It is refused at once, because the Service has no endpoint.
    case refuse
}
