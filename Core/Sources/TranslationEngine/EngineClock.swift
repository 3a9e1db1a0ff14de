import Glibc
public import Translation

extension Timestamp {
    /// The time since the machine's start, to a few milliseconds: the clock of every engine, at the cost of a memory access.
    public static var coarseNow: Timestamp {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_MONOTONIC_COARSE, &time)
        return Timestamp(milliseconds: UInt64(time.tv_sec) * 1000 + UInt64(time.tv_nsec) / 1_000_000)
    }
}
