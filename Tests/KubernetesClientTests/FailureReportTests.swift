import KubernetesClient
import Testing

@Suite struct FailureReportTests {
    private let start = ContinuousClock.now

    @Test func `A refusal is told at once and once, another one again`() {
        var report = FailureReport()
        let told = [403, 403, 401, 401, 403].map { report.failed(.status($0), at: start) }
        #expect(told == [true, false, true, false, true])
    }

    @Test func `A server that starts again is not worth a word, one that stays away is`() {
        var report = FailureReport()
        let told = [0, 1, 2.9, 3, 4, 900].map { report.failed(.noAnswer, at: start + .seconds($0)) }
        #expect(told == [false, false, false, true, false, false])
    }

    @Test func `What has been told is told to be over, and the next failure begins anew`() {
        var report = FailureReport()
        #expect(report.succeeded() == nil)
        _ = report.failed(.noAnswer, at: start)
        #expect(report.succeeded() == nil)
        let later = report.failed(.noAnswer, at: start + .seconds(60))
        let lasting = report.failed(.noAnswer, at: start + .seconds(63))
        #expect([later, lasting] == [false, true])
        #expect(report.succeeded() == .noAnswer)
        #expect(report.succeeded() == nil)
        let refusal = report.failed(.status(404), at: start + .seconds(64))
        #expect(refusal)
        #expect(report.succeeded() == .status(404))
    }
}
