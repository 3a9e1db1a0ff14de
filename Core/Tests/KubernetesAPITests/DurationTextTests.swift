import KubernetesAPI
import Testing

@Suite("Durations as Go writes them")
struct DurationTextTests {
    @Test(
        "A text is a length of time",
        arguments: [
            ("0", .zero), ("34s", .seconds(34)), ("1m30s", .seconds(90)), ("1.5h", .seconds(5_400)),
            ("250ms", .milliseconds(250)), (".5s", .milliseconds(500)), ("5.s", .seconds(5)), ("-2s", .seconds(-2)),
            ("+2s", .seconds(2)), ("10us", .microseconds(10)), ("10µs", .microseconds(10)),
        ] as [(String, Duration)])
    func lengths(text: String, duration: Duration) throws {
        #expect(try DurationText(text).duration == duration)
    }

    @Test(
        "Everything else is refused in Go's words",
        arguments: [
            ("", #"time: invalid duration """#), ("-", #"time: invalid duration "-""#),
            ("x", #"time: invalid duration "x""#), ("1", #"time: missing unit in duration "1""#),
            ("1m5", #"time: missing unit in duration "1m5""#), ("1d", #"time: unknown unit "d" in duration "1d""#),
            ("1.2.3s", #"time: invalid duration "1.2.3s""#), (".s", #"time: invalid duration ".s""#),
            ("9999999h", #"time: invalid duration "9999999h""#), (" 1s", #"time: invalid duration " 1s""#),
        ])
    func refusals(text: String, message: String) {
        let error = #expect(throws: DurationText.ParseError.self) { try DurationText(text) }
        #expect(error?.description == message)
    }
}
