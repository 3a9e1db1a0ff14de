package import Addresses

/// What the kernel's table of one family shall hold, or was found to hold.
///
/// Every dictionary and set is one nftables map or set; nothing in it depends on an order of events
/// except which slot a backend stands in.
package struct ProxyTable: Hashable, Sendable {
    package let family: IPFamily
    /// What happens to a new connection, by frontend.
    package var actions: [Frontend: FrontendAction] = [:]
    /// The backend in each slot of each frontend.
    package var slots: [Slot: Backend] = [:]
    /// Every cluster address; a new connection to one of them on a port without an action is refused.
    package var clusterAddresses: Set<IPAddress> = []
    /// The addresses of all backends: a connection from one of them to itself is masqueraded.
    package var hairpins: Set<IPAddress> = []
    /// The addresses of this node's pods, which keep their source towards cluster addresses.
    package var localPods: Set<IPPrefix> = []

    package init(family: IPFamily) {
        self.family = family
    }

    /// How many elements there are.
    var count: Int { actions.count + slots.count + clusterAddresses.count + hairpins.count + localPods.count }

    /// The backends of every frontend whose slots are complete, in slot order.
    func slotOrders() -> [Frontend: [Backend]] {
        var orders: [Frontend: [Backend]] = [:]
        for case (let frontend, .balance(let count)) in actions {
            let backends = (0..<count).compactMap { slots[Slot(frontend, $0)] }
            if backends.count == Int(count) { orders[frontend] = backends }
        }
        return orders
    }
}
