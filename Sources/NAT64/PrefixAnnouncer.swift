import Linux
import Logging

/// Announces a prefix to the hosts of a link, until the task is cancelled.
struct PrefixAnnouncer: Sendable {
    let link: String
    let announcement: PrefixAnnouncement
    let logger: Logger

    /// Hosts get answers within the half second that RFC 4861 §6.2.6 grants a router.
    private static let interval = Duration.milliseconds(250)

    func run() async {
        let start = ContinuousClock.now
        var reported: String?
        while !Task.isCancelled {
            do throws(SystemError) {
                let socket = try AnnouncementSocket(link: link)
                var schedule = AnnouncementSchedule(at: start.seconds)
                while !Task.isCancelled {
                    if schedule.isDue(at: start.seconds, isSolicited: socket.isSolicited()) {
                        try socket.send(announcement.bytes())
                        reported = nil
                    }
                    try? await Task.sleep(for: Self.interval)
                }
                try socket.send(announcement.bytes(isLast: true))
            } catch {
                // A link may come later, and its address after it.
                if reported != "\(error)" {
                    logger.warning(
                        "cannot announce the prefix; trying again", metadata: ["link": "\(link)", "error": "\(error)"])
                }
                reported = "\(error)"
                try? await Task.sleep(for: Self.interval)
            }
        }
    }
}

extension ContinuousClock.Instant {
    /// The seconds since then.
    fileprivate var seconds: Double { duration(to: .now) / .seconds(1) }
}
