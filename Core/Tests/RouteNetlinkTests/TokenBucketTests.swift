import RouteNetlink
import Testing

@Test(
    "A token bucket is counted in the kernel's ticks as tc does",
    arguments: [
        // Rate and burst in bytes, ticks of 64 ns, bytes of limit.
        (1_000_000, 100_000, 1_562_500, 125_000),
        (2_000_000, 200_000, 1_562_500, 250_000),
        (15_432_098, 956_790, 968_734, 1_342_592),
        (125, 12_500, 1_562_500_000, 12_503),
        (1, 4_000_000_000, .max, 4_000_000_000),
        (.max, 1000, 0, .max),
    ] as [(UInt64, UInt32, UInt32, UInt32)])
func tokenBucket(rate: UInt64, burst: UInt32, ticks: UInt32, limit: UInt32) {
    let bucket = TokenBucket(rate: rate, burst: burst, latencyMilliseconds: 25)
    #expect(bucket.bufferTicks == ticks)
    #expect(bucket.limit == limit)
}
