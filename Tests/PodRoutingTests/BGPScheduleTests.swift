import PodRouting
import Testing

@Suite("When routing daemons are told")
struct BGPScheduleTests {
    private let start = ContinuousClock.now

    private func after(_ seconds: Int) -> ContinuousClock.Instant {
        start + .seconds(seconds)
    }

    @Test("Without a wish nothing is done; a wish is handed over at once, and looked after later")
    func steps() {
        var schedule = BGPSchedule()
        #expect(schedule.step(at: after(1000)) == .wait)
        schedule.changed(at: start)
        #expect(schedule.step(at: start) == .load)
        schedule.confirmed(at: start)
        #expect(schedule.step(at: after(9)) == .wait)
        #expect(schedule.step(at: after(10)) == .check)
        schedule.confirmed(at: after(10))
        #expect(schedule.step(at: after(19)) == .wait)
        schedule.lost(at: after(20))
        #expect(schedule.step(at: after(20)) == .load)
    }

    @Test("Failures are followed by ever longer pauses, up to half a minute; a new wish begins anew")
    func failures() {
        var schedule = BGPSchedule()
        schedule.changed(at: start)
        var now = 0
        for pause in [1, 2, 4, 8, 16, 30, 30] {
            _ = schedule.failed("", at: after(now))
            #expect(schedule.step(at: after(now + pause - 1)) == .wait)
            now += pause
            #expect(schedule.step(at: after(now)) == .load)
        }
        _ = schedule.failed("", at: after(now))
        schedule.changed(at: after(now))
        #expect(schedule.step(at: after(now)) == .load)
        _ = schedule.failed("", at: after(now))
        #expect(schedule.step(at: after(now + 1)) == .load)
    }

    @Test("A problem is news once, whatever time stands in it, until it is another one or is over")
    func problems() {
        var schedule = BGPSchedule()
        let problems = ["12:01 away", "12:02 away", "12:03 no such file", "12:04 away"]
        let news = problems.map { schedule.failed($0, at: start) }
        #expect(news == [true, false, true, true])
        schedule.confirmed(at: start)
        let again = schedule.failed("12:05 away", at: start)
        #expect(again)
    }
}
