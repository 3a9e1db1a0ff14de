internal import Glibc

extension NetworkNamespace {
    /// The number by which eBPF programs know the namespace of the calling thread (SO_NETNS_COOKIE); no other gets it
    /// before the next boot.
    ///
    /// Throws `Errno.protocolNotAvailable` before Linux 5.14.
    public static func currentCookie() throws(SystemError) -> UInt64 {
        let operation = "ask for the network namespace's cookie"
        let probe = FileDescriptor(
            owning: try systemCall(operation) { socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0) }
        )
        var cookie: UInt64 = 0
        var size = socklen_t(MemoryLayout<UInt64>.size)
        _ = try systemCall(operation) {
            unsafe getsockopt(probe.rawValue, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size)
        }
        return cookie
    }
}
