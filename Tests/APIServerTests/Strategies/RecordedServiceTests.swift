import Addresses
import JSON
import Testing

@Suite struct RecordedServiceTests {
    @Test(arguments: [
        ("v4", ["10.96.0.0/16"]), ("v6", ["fd00:10:96::/112"]), ("v4v6", ["10.96.0.0/16", "fd00:10:96::/112"]),
        ("v6v4", ["fd00:10:96::/112", "10.96.0.0/16"]),
    ])
    func `Services behave as recorded on Kubernetes`(kind: String, ranges: [String]) throws {
        let cases = try RecordedServiceCase.load(kind)
        #expect(cases.count == 644)
        var player = try RecordedServicePlayer(ranges: ranges.map { try #require(IPPrefix($0)) })
        for row in cases {
            let outcomes = try player.play(row.steps)
            #expect(
                outcomes == row.expected,
                "\(row.name)\n  expected \(JSONValue.array(row.expected).text())\n  got      \(JSONValue.array(outcomes).text())"
            )
        }
    }
}
