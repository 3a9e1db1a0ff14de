internal import Linux
internal import Netlink
internal import SocketDiagnostics

/// Ends connected datagram sockets whose endpoint is gone.
///
/// Such a socket sends to the endpoint without asking anyone. Its owner gets an error (ECONNABORTED), opens another, and
/// is led to an endpoint that serves; without that it would send into nothing for ever.
struct StaleSockets {
    /// The scopes in which the owners are looked for.
    let scopes: [ConnectTimeScope]

    /// Whether the kernel can end sockets; asked in the caller's network namespace.
    static var arePossible: Bool {
        do throws(NetlinkError) {
            var sockets = try SocketDiagnostics()
            return try sockets.canDestroy()
        } catch {
            return false
        }
    }

    /// Ends the sockets that are still connected as they were.
    ///
    /// - Parameter node: the network namespace of the node, whose sockets may belong to processes outside the scopes.
    /// - Complexity: O(n) in the number of processes in the scopes.
    func end(_ stale: Set<ConnectTimeMaps.Connected>, node: borrowing NetworkNamespace) throws {
        var ended = try end(stale, in: node)
        var seen: Set<UInt64> = [try node.identity().inode]
        for process in scopes.flatMap(\.processes) where ended < stale.count {
            // A process that ended meanwhile has no socket any more.
            guard let namespace = try? NetworkNamespace.open(pid: process),
                seen.insert(try namespace.identity().inode).inserted
            else { continue }
            ended += try end(stale, in: namespace)
        }
    }

    private func end(_ stale: Set<ConnectTimeMaps.Connected>, in namespace: borrowing NetworkNamespace) throws -> Int {
        var sockets = try namespace.run { try SocketDiagnostics() }
        let found = try sockets.datagramSockets { socket in
            stale.contains(
                ConnectTimeMaps.Connected(
                    socket: socket.cookie, backend: Backend(address: socket.remoteAddress, port: socket.remotePort)))
        }
        for socket in found { try sockets.destroy(socket) }
        return found.count
    }
}
