/// A bucket of tokens for each client: a request takes one, time brings new ones.
package struct RateLimiter: Sendable {
    /// Clients that are remembered; beyond that, those that have been quiet are forgotten.
    package static let maximumClients = 4_096

    private struct Bucket {
        var tokens: Double
        /// Seconds by the caller's clock.
        var time: Double
    }

    /// Requests a second; a client that was quiet for a second may send as many at once.
    package let rate: Double
    private var buckets: [String: Bucket] = [:]

    /// A limiter without clients; rate 0 admits everything.
    package init(rate: Int) {
        self.rate = Double(rate)
    }

    /// Takes a token for a client; false when it has none left.
    package mutating func admit(_ client: String, now: Double) -> Bool {
        guard rate > 0 else { return true }
        if buckets.count >= Self.maximumClients, buckets[client] == nil {
            makeRoom(now)
        }
        var bucket = buckets[client] ?? Bucket(tokens: rate, time: now)
        bucket.tokens = min(rate, bucket.tokens + max(0, now - bucket.time) * rate)
        bucket.time = now
        defer { buckets[client] = bucket }
        guard bucket.tokens >= 1 else { return false }
        bucket.tokens -= 1
        return true
    }

    /// Forgets clients whose bucket is full again, or all of them when every one is busy.
    private mutating func makeRoom(_ now: Double) {
        buckets = buckets.filter { $0.value.tokens + (now - $0.value.time) * rate < rate }
        if buckets.count >= Self.maximumClients {
            buckets.removeAll()
        }
    }
}
