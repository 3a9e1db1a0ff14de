import APIServer
import Testing

@Suite("The rate of requests")
struct RateLimiterTests {
    @Test(
        "A client may send a second's worth at once and the rate from then on; clients do not share",
        arguments: [(1, 10), (5, 3), (100, 2)])
    func rates(rate: Int, seconds: Int) {
        var limiter = RateLimiter(rate: rate)
        var admitted = 0
        for tick in 0..<seconds * 1_000 where limiter.admit("a", now: Double(tick) / 1_000) {
            admitted += 1
        }
        #expect((rate * seconds + rate - 1...rate * seconds + rate).contains(admitted))
        let isOtherAdmitted = limiter.admit("b", now: Double(seconds))
        #expect(isOtherAdmitted)
    }

    @Test("A clock that goes backwards gives nothing and takes nothing")
    func backwards() {
        var limiter = RateLimiter(rate: 1)
        let admitted = [100, 50, 51].map { limiter.admit("a", now: $0) }
        #expect(admitted == [true, false, true])
    }

    @Test("More clients than are remembered are admitted all the same")
    func manyClients() {
        var limiter = RateLimiter(rate: 2)
        let clients = 0..<RateLimiter.maximumClients * 3
        let admitted = clients.filter { limiter.admit("\($0)", now: 0) }.count
        #expect(admitted == clients.count)
    }

    @Test("Rate 0 is no limit")
    func unlimited() {
        var limiter = RateLimiter(rate: 0)
        let admitted = (0..<10_000).filter { _ in limiter.admit("a", now: 0) }.count
        #expect(admitted == 10_000)
    }
}
