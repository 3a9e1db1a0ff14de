import Foundation
import JSON
import KubernetesAPI
import Testing

/// Random Deployments and patches, and what `kubectl patch --local --type=strategic` (1.37) made of them.
///
/// Left out: patches where kubectl's outcome hangs on how its lists share memory (an element is deleted and another one
/// added under a `$setElementOrder` that names neither of the rest), and empty lists of unknown element type, which it
/// refuses.
@Suite struct RecordedPatchTests {
    @Test func `strategic merge patches do what they do in kubectl`() throws {
        let schema = try #require(Schema.node(for: .deployments))
        let cases = try load()
        #expect(cases.count == 395)
        for row in cases {
            var object = row["object"] ?? .null
            let patch = row["patch"] ?? .null
            var refusal: StatusError?
            do throws(StatusError) {
                try StrategicMergePatch.apply(patch, to: &object, schema: schema)
            } catch {
                refusal = error
            }
            #expect((refusal != nil) == (row["error"] != nil), "\(row.text())")
            guard refusal == nil, var result = row["result"] else { continue }
            // As the server reads it: what kubectl leaves of directives has no meaning there.
            _ = try schema.decode(&object, kind: "Deployment")
            _ = try schema.decode(&result, kind: "Deployment")
            #expect(object == result, "\(patch.text())\n  of       \(row["object"]?.text() ?? "")")
        }
    }

    private func load() throws -> [JSONValue] {
        let directory = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let process = Process()
        process.executableURL = URL(filePath: "/bin/gzip")
        process.arguments = ["-dc", directory.appending(path: "Recorded/strategic-merge-patches.json.gz").path]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return try #require(try JSONValue(parsing: Array(data)).array)
    }
}
