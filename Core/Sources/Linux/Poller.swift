internal import CLinux
internal import Glibc

/// Waits for many descriptors at once (epoll(7)); each is known by a token.
@safe
public struct Poller: ~Copyable, Sendable {
    /// What a descriptor is waited for.
    public struct Interest: OptionSet, Sendable {
        /// The bits of epoll_ctl(2).
        public let rawValue: UInt32

        /// Wraps the bits.
        public init(rawValue: UInt32) {
            self.rawValue = rawValue
        }

        /// There is something to read, or the other end has closed.
        public static let read = Interest(rawValue: EPOLLIN.rawValue)
        /// There is room to write.
        public static let write = Interest(rawValue: EPOLLOUT.rawValue)
    }

    private let descriptor: FileDescriptor
    private var events = unsafe [epoll_event](repeating: epoll_event(), count: 64)

    /// Makes a poller without descriptors.
    public init() throws(SystemError) {
        descriptor = FileDescriptor(
            owning: try systemCall("create epoll") { epoll_create1(Int32(EPOLL_CLOEXEC)) })
    }

    /// Waits for a descriptor from now on, until it is closed.
    public func add(
        _ other: borrowing FileDescriptor, _ interest: Interest, token: UInt64
    ) throws(SystemError) {
        try control(EPOLL_CTL_ADD, other.rawValue, interest, token)
    }

    /// Changes what a descriptor is waited for.
    public func modify(
        _ other: borrowing FileDescriptor, _ interest: Interest, token: UInt64
    ) throws(SystemError) {
        try control(EPOLL_CTL_MOD, other.rawValue, interest, token)
    }

    private func control(
        _ operation: Int32, _ number: Int32, _ interest: Interest, _ token: UInt64
    ) throws(SystemError) {
        var event = unsafe epoll_event(events: interest.rawValue, data: epoll_data_t(u64: token))
        _ = try systemCall("wait for descriptor", "\(number)") {
            unsafe epoll_ctl(descriptor.rawValue, operation, number, &event)
        }
    }

    /// Puts the tokens of the descriptors that are ready into `tokens`.
    ///
    /// It waits at most `milliseconds`, or without end if that is negative; a signal ends the wait early, with no tokens.
    public mutating func wait(milliseconds: Int32, into tokens: inout [UInt64]) {
        tokens.removeAll(keepingCapacity: true)
        let count = unsafe epoll_wait(descriptor.rawValue, &events, Int32(events.count), milliseconds)
        for index in 0..<max(Int(count), 0) { unsafe tokens.append(events[index].data.u64) }
    }
}
