internal import Glibc
internal import Synchronization

/// Ports for the servers of tests.
public enum FreePort {
    /// None of them is a NodePort, and the kernel gives none to a connection (`ip_local_port_range`).
    private static let range = 10_000..<30_000
    /// Processes that run side by side begin in different places.
    private static let count = Atomic(Int(getpid()) &* 97)

    /// A port on which nobody listens, in either family; the process is given it once.
    ///
    /// A port that the kernel chose and that was closed again may be given to somebody else before the test uses it.
    public static func next() -> Int {
        while true {
            let number = count.add(1, ordering: .relaxed).newValue
            let port = range.lowerBound + number % range.count
            if isFree(port) { return port }
        }
    }

    private static func isFree(_ port: Int) -> Bool {
        let socket = socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = UInt16(port).bigEndian
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in6>.size)) == 0
            }
        }
    }
}
