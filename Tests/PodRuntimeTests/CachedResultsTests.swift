import Linux
import PodRuntime
import Testing

@Suite("What the runtime noted of its attachments")
struct CachedResultsTests {
    @Test("goes when it was noted in part, and stays otherwise")
    func torn() throws {
        let directory = try FileSystem.makeTemporaryDirectory()
        defer { try? FileSystem.removeTree(directory) }
        let whole = #"{"kind": "cniCacheV1", "containerId": "a", "config": "e30="}"#
        for (name, content) in [
            "net-a-eth0": whole, "net-b-eth0": "", "net-c-eth0": String(whole.dropLast()), "net-d-eth0": "\0\0\0\0",
        ] {
            try FileSystem.writeFile("\(directory)/\(name)", Array(content.utf8))
        }
        try FileSystem.makeDirectory("\(directory)/net-e-eth0")
        let results = CachedResults(directory: directory)
        #expect(try results.removeTorn() == ["net-b-eth0", "net-c-eth0", "net-d-eth0"])
        #expect(try FileSystem.list(directory).sorted() == ["net-a-eth0", "net-e-eth0"])
        #expect(try results.removeTorn() == [])
        #expect(try CachedResults(directory: "\(directory)/absent").removeTorn() == [])
    }
}
