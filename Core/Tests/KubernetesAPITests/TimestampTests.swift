import KubernetesAPI
import Testing

@Suite struct TimestampTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0, 0),
        ("2000-02-29T12:34:56Z", 951_827_696, 0),
        ("2024-12-31T23:59:59.000001Z", 1_735_689_599, 1000),
        ("2024-06-01T02:00:00+02:00", 1_717_200_000, 0),
        ("2024-05-31T22:00:00.5-02:00", 1_717_200_000, 500_000_000),
        ("1969-12-31T23:59:59Z", -1, 0),
        ("2024-01-01T00:00:00.1234567891Z", 1_704_067_200, 123_456_789),
    ])
    func `RFC 3339 text is read`(text: String, seconds: Int64, nanoseconds: Int32) {
        #expect(Timestamp(text) == Timestamp(seconds: seconds, nanoseconds: nanoseconds))
    }

    @Test(arguments: ["", "2024-01-01", "2024-01-01T00:00:00", "2024-13-01T00:00:00Z", "2024-01-01T00:00:00.Z", "x"])
    func `Other text is refused`(text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test func `Text and value agree over four centuries`() throws {
        var seconds: Int64 = -5_000_000_000
        while seconds < 8_000_000_000 {
            let value = Timestamp(seconds: seconds, nanoseconds: 123_456_000)
            #expect(Timestamp(value.microText) == value)
            #expect(Timestamp(value.nanoText) == value)
            #expect(Timestamp(value.description)?.seconds == seconds)
            seconds += 1_234_567
        }
    }

    @Test func `Fractions are as wide as their form asks`() {
        let value = Timestamp(seconds: 0, nanoseconds: 120_000_000)
        #expect(value.description == "1970-01-01T00:00:00Z")
        #expect(value.microText == "1970-01-01T00:00:00.120000Z")
        #expect(value.nanoText == "1970-01-01T00:00:00.12Z")
    }
}
