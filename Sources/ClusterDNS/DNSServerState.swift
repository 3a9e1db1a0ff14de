package import Addresses
package import Linux
import Synchronization

/// What the server's thread is told from outside: the zone to answer from, the addresses to answer on, and when to end.
package final class DNSServerState: Sendable {
    private struct Content {
        var zone: ClusterZone
        var addresses: Set<IPAddress> = []
        var isStopped = false
    }

    private let content: Mutex<Content>
    private let wakeUp: FileDescriptor.Pipe

    /// Makes the state of a server that answers nowhere yet.
    package init(zone: ClusterZone) throws(SystemError) {
        content = Mutex(Content(zone: zone))
        wakeUp = try FileDescriptor.pipe()
    }

    /// The zone as last published.
    var zone: ClusterZone { content.withLock { $0.zone } }

    /// The addresses to answer on.
    var addresses: Set<IPAddress> { content.withLock { $0.addresses } }

    /// Whether the server has to end.
    var isStopped: Bool { content.withLock { $0.isStopped } }

    /// The descriptor that is readable when addresses change or the server has to end.
    func watch(_ poller: inout Poller, token: UInt64) throws(SystemError) {
        try poller.add(wakeUp.reading, .read, token: token)
    }

    /// Takes what the other threads have written to wake the server up.
    func acknowledge() { _ = try? wakeUp.reading.read(upTo: 64) }

    /// Answers from a new zone from the next query on.
    package func publish(_ zone: ClusterZone) { content.withLock { $0.zone = zone } }

    /// Answers on exactly these addresses.
    package func setAddresses(_ addresses: Set<IPAddress>) {
        content.withLock { $0.addresses = addresses }
        wake()
    }

    /// Ends the server.
    package func stop() {
        content.withLock { $0.isStopped = true }
        wake()
    }

    private func wake() {
        // It can fail only when the reading end, which lives as long, were closed.
        try? wakeUp.writing.write([0])
    }
}
