internal import CLinux
internal import Netlink

/// The token bucket filter: what is sent takes tokens, which come at a rate and gather up to a burst.
public struct TokenBucket: Sendable, Hashable {
    /// Bytes a second.
    public let rate: UInt64
    /// The time in which a full bucket's worth is sent, in the kernel's ticks.
    public let bufferTicks: UInt32
    /// How many bytes may wait, those that the bucket lets pass at once included.
    public let limit: UInt32

    /// The length of a tick in nanoseconds (include/net/pkt_sched.h, `PSCHED_SHIFT`); all kernels since 2.6.31 have it.
    public static let tickNanoseconds: UInt64 = 64

    /// Describes a bucket by bytes a second, bytes of burst, and for how many milliseconds of the rate packets may wait.
    ///
    /// The time of a burst is counted in whole microseconds, as tc does. Numbers that the kernel cannot hold become the
    /// largest that it can.
    ///
    /// - Precondition: `rate` is not zero.
    public init(rate: UInt64, burst: UInt32, latencyMilliseconds: UInt64) {
        precondition(rate > 0, "a token bucket needs a rate")
        self.rate = rate
        let microseconds = UInt64(burst) * 1_000_000 / rate
        bufferTicks = UInt32(clamping: microseconds * 1000 / Self.tickNanoseconds)
        let waiting = rate.multipliedReportingOverflow(by: latencyMilliseconds)
        limit = UInt32(clamping: (waiting.overflow ? UInt64.max / 2000 : waiting.partialValue / 1000) + UInt64(burst))
    }

    init?(_ options: NetlinkAttributes) {
        guard let parameters = options[Int(TCA_TBF_PARMS)]?.payload else { return nil }
        // `struct tc_tbf_qopt`: the rate stands at the end of the first `struct tc_ratespec` of 12 bytes.
        let short: UInt32 = parameters.integer(at: 8)
        rate = options[Int(TCA_TBF_RATE64)]?.integer() ?? UInt64(short)
        limit = parameters.integer(at: 24)
        bufferTicks = parameters.integer(at: 28)
    }

    func encode(to options: inout NetlinkWriter) {
        var parameters = NetlinkWriter()
        parameters.append(UInt64(0))
        parameters.append(UInt32(clamping: rate))
        // No peak rate.
        parameters.append(bytes: [UInt8](repeating: 0, count: 12))
        parameters.append(limit)
        parameters.append(bufferTicks)
        parameters.append(UInt32(0))
        options.attribute(Int(TCA_TBF_PARMS), bytes: parameters.bytes)
        if rate > UInt64(UInt32.max) { options.attribute(Int(TCA_TBF_RATE64), rate) }
    }
}
