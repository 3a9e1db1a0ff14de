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
    /// Kernels from 6.8 on see to it when they are asked (`linkwatch_sync_dev` in net/core/rtnetlink.c). False when that
    /// did not happen within about two and a half seconds.
    mutating func waitUntilOperational(_ index: Int32) throws -> Bool {
        for delay in Readiness.shortDelays + [30, 100, 400, 1000, 1000] {
            Readiness.pause(milliseconds: delay)
            if try link(at: index)?.isOperational == true { return true }
        }
        return false
    }

    /// Waits until a link's addresses receive packets; where duplicates are looked for, until none was found.
    ///
    /// Errors: a duplicate was found, or the kernel has not finished within about five seconds.
    mutating func waitUntilUsable(_ wanted: [IPAddress], on index: Int32) throws {
        var waiting = wanted
        for delay in Readiness.shortDelays + Array(repeating: 50, count: 100) {
            Readiness.pause(milliseconds: delay)
            var rest: [IPAddress] = []
            for address in waiting where try !isLocal(address) { rest.append(address) }
            waiting = rest
            if waiting.isEmpty { return }
            // Nobody has had the time to answer yet.
            if delay < 50 { continue }
            if let duplicate = try addresses(index).first(where: { $0.flags.contains(.duplicate) }) {
                throw CNIError("address \(duplicate.address) is in use on the link already: dadfailed")
            }
        }
        let list = waiting.map(\.description).joined(separator: ", ")
        throw CNIError("addresses of link \(index) are still not usable: \(list)")
    }
}

private enum Readiness {
    /// Milliseconds: the kernel's workers are there at once, unless many attachments wait for the same lock.
    static let shortDelays = [0, 0, 0, 0.1, 0.2, 0.5, 1, 2, 5, 10]

    /// Lets other threads run, then sleeps.
    static func pause(milliseconds: Double) {
        sched_yield()
        if milliseconds > 0 { usleep(UInt32(milliseconds * 1000)) }
    }
}
