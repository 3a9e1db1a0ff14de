package import Addresses

/// What a client connects to: an address, or any address of the node, and a port.
package struct Frontend: Hashable, Sendable {
    /// The address of the Service; nil for a node port, which answers on the node's own addresses.
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

/// Which endpoints of a Service port a connection is spread over.
package enum Pool: UInt32, CaseIterable, Sendable {
    /// Those of all nodes. The raw value is the number of the pool's first slot.
    case everywhere = 0
    /// Those of this node.
    case local = 0x8000_0000
}

/// One place in the random draw of a Service port.
///
/// The port is known by its frontend on the cluster address, whichever way a client comes: so every other frontend
/// shares the slots, and an endpoint costs one element for each pool it is in.
package struct Slot: Hashable, Sendable {
    package let anchor: Frontend
    package let pool: Pool
    package let index: UInt32

    package init(_ anchor: Frontend, _ pool: Pool, _ index: UInt32) {
        self.anchor = anchor
        self.pool = pool
        self.index = index
    }

    /// The number that is drawn for it.
    var number: UInt32 { pool.rawValue + index }
}

/// How a new connection to a frontend gets its endpoint.
package struct Balance: Hashable, Sendable {
    /// The way in, which decides whose source address is kept.
    package enum Entry: String, Sendable, CaseIterable {
        /// The cluster address.
        case cluster
        /// Another address, or a node port: every caller is masqueraded.
        case external
        /// Where external traffic is to stay local: callers on this node, who are served from everywhere.
        case insider
        /// Where external traffic is to stay local: callers from elsewhere, who keep their address.
        case outsider

        /// What the kernel's maps know it by, nftables' as eBPF's (`duet_entry`).
        var number: UInt32 {
            switch self {
            case .cluster: 0
            case .external: 1
            case .insider: 2
            case .outsider: 3
            }
        }

        /// The entry of a number; nil for other numbers.
        init?(number: UInt32) {
            guard let entry = Self.allCases.first(where: { $0.number == number }) else { return nil }
            self = entry
        }
    }

    package let entry: Entry
    package let pool: Pool
    /// Below which number a slot is drawn: as many as there are slots, or for many slots the next power of two; zero
    /// drops, which only an `outsider` can meet.
    package let range: UInt32
    /// For how many seconds a client keeps its endpoint; nil without affinity.
    package let stickySeconds: UInt32?

    /// A draw from so many slots.
    package init(_ entry: Entry, _ pool: Pool = .everywhere, over slots: UInt32, stickySeconds: UInt32? = nil) {
        self.entry = entry
        self.pool = pool
        range = Self.range(over: slots)
        self.stickySeconds = slots == 0 ? nil : stickySeconds
    }

    /// Up to so many slots a number always hits one.
    ///
    /// Of more, at least every second one does, and one that does not is
    /// drawn again; so there are few ranges, and most endpoints that come or go change none.
    static let exactRange: UInt32 = 16

    private static func range(over slots: UInt32) -> UInt32 {
        slots <= exactRange ? slots : 1 << (UInt32.bitWidth - (slots - 1).leadingZeroBitCount)
    }

    /// Below which number a slot is drawn when several numbers have hit none; there is a slot for each.
    var fallbackRange: UInt32 { range / 2 + 1 }
}

/// What happens to a new connection to a frontend.
package enum FrontendAction: Hashable, Sendable {
    /// It goes to an endpoint.
    case balance(Balance)
    /// It is refused at once, because the Service has no endpoint.
    case refuse
    /// It is dropped, because the Service has endpoints, but none where its policy wants one.
    case drop
}
