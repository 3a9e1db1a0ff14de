internal import Addresses
internal import Linux
internal import Netlink
internal import RouteNetlink

/// The addresses of the node, and news of them, in the network namespace of the thread that makes it.
struct NodeAddresses: ~Copyable {
    private var socket: RouteSocket
    private let monitor: RouteMonitor

    init() throws(NetlinkError) {
        // The monitor comes first, so that nothing changes between the list and the news.
        let monitor = try RouteMonitor()
        let socket = try RouteSocket()
        self.monitor = monitor
        self.socket = socket
    }

    /// The addresses at present.
    mutating func current() throws(NetlinkError) -> Set<IPAddress> {
        Set(try socket.addresses().map(\.address.address))
    }

    /// Whether any address came or went since the last call.
    func haveChanged() throws(NetlinkError) -> Bool {
        do throws(NetlinkError) {
            return try monitor.available().contains { change in
                if case .address = change.object { true } else { false }
            }
        } catch  where error.errno == .noBufferSpace {
            return true
        }
    }
}
