import KubernetesAPI
import Linux
import PodRuntime
import Testing

@Suite struct LogTests {
    private static let log = """
        2024-05-01T10:00:00.000000001Z stdout F one
        2024-05-01T10:00:01.000000000Z stderr P tw
        2024-05-01T10:00:01.500000000Z stderr F o
        2024-05-01T10:00:02.000000000Z stdout F \u{20}three
        not a log line

        """

    private static func read(_ query: [String: String], pieces: Int = 7) throws -> String {
        let path = try FileSystem.makeTemporaryDirectory(prefix: "/tmp/dt-podruntime-") + "/0.log"
        defer { try? FileSystem.removeTree(String(path.dropLast(6))) }
        try FileSystem.writeFile(path, Array(log.utf8))
        let options = try #require(LogOptions(query: { query[$0] }, now: Timestamp(seconds: 1_714_557_602)))
        var reader = try LogReader(path: path, tailLines: options.tailLines)
        var filter = LogFilter(options)
        var output: [UInt8] = []
        var bytes = try reader.next()
        while !bytes.isEmpty {
            output += filter.take(Array(bytes.prefix(pieces)))
            bytes = bytes.count > pieces ? Array(bytes.dropFirst(pieces)) : try reader.next()
        }
        return String(decoding: output, as: UTF8.self)
    }

    @Test(
        arguments: [
            ([:], "one\ntwo\n three\n"),
            (["tailLines": "2"], " three\n"),
            (["tailLines": "0"], ""),
            (["tailLines": "99"], "one\ntwo\n three\n"),
            (["sinceSeconds": "1"], "two\n three\n"),
            (["sinceTime": "2024-05-01T10:00:02Z"], " three\n"),
            (["limitBytes": "5"], "one\nt"),
            (
                ["timestamps": "true", "sinceSeconds": "1"],
                "2024-05-01T10:00:01.000000000Z two\n2024-05-01T10:00:02.000000000Z  three\n"
            ),
        ] as [([String: String], String)])
    func `the part asked for is shown`(query: [String: String], output: String) throws {
        #expect(try Self.read(query) == output)
    }

    @Test(arguments: [["tailLines": "-1"], ["limitBytes": "0"], ["sinceSeconds": "x"], ["sinceTime": "today"]])
    func `bad options are refused`(query: [String: String]) {
        #expect(LogOptions(query: { query[$0] }, now: Timestamp(seconds: 0)) == nil)
    }

    @Test func `reading goes on in the new file after a rotation`() throws {
        let root = try FileSystem.makeTemporaryDirectory(prefix: "/tmp/dt-podruntime-")
        defer { try? FileSystem.removeTree(root) }
        let path = "\(root)/0.log"
        try FileSystem.writeFile(path, Array("first".utf8))
        var reader = try LogReader(path: path, tailLines: nil)
        #expect(try reader.next() == Array("first".utf8))
        try FileSystem.rename(path, to: "\(path).1")
        try FileSystem.writeFile(path, Array("second".utf8))
        #expect(try reader.next() == Array("second".utf8))
        #expect(try reader.next() == [])
    }
}
