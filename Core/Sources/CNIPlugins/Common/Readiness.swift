import Addresses
import CNI
import Glibc
import RouteNetlink

/// Waits for what the kernel finishes in workers of its own, after it has confirmed a request.
///
/// Without it the first packets of a container can be lost: the plugin returns before the link sends and before the
/// addresses receive.
extension RouteSocket {
    /// Waits until a link that is up is operational too: packets leave only after the carrier was seen.
    ///
    /// False when that did not happen within about two and a half seconds.
    mutating func waitUntilRunning(_ index: Int32) throws -> Bool {
        for delay in [0, 0, 1, 1, 2, 5, 10, 30, 100, 400, 1000, 1000] {
            pause(milliseconds: delay)
            if let link = try link(at: index), link.flags.contains(.running) { return true }
        }
        return false
    }

    /// Waits until a link's addresses receive packets; where duplicates are looked for, until none was found.
    ///
    /// Errors: a duplicate was found, or the kernel has not finished within about five seconds.
    mutating func waitUntilUsable(_ wanted: [IPAddress], on index: Int32) throws {
        var waiting = wanted
        for delay in [0, 0, 0, 1, 1, 2, 5, 10, 30] + Array(repeating: 50, count: 100) {
            pause(milliseconds: delay)
            var rest: [IPAddress] = []
            for address in waiting where try !isLocal(address) { rest.append(address) }
            waiting = rest
            if waiting.isEmpty { return }
            if let duplicate = try addresses(index).first(where: { $0.flags.contains(.duplicate) }) {
                throw CNIError("address \(duplicate.address) is in use on the link already: dadfailed")
            }
        }
        let list = waiting.map(\.description).joined(separator: ", ")
        throw CNIError("addresses of link \(index) are still not usable: \(list)")
    }
}

/// Lets other threads run, then sleeps.
private func pause(milliseconds: Int) {
    sched_yield()
    if milliseconds > 0 { usleep(UInt32(milliseconds) * 1000) }
}
