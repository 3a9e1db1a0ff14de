import Foundation
import Testing

@Suite("One compiler for both families")
struct OneCompilerTests {
    /// The only files that may name a family: what differs in headers, in sockets of the host, and in names of tools, and
    /// what translates between the two.
    private static let encoders: Set<String> = [
        "HeaderLayout.swift", "HealthListener.swift", "XTablesTool.swift", "ConnectTimeKeys.swift",
        "CrossFamilyOptions.swift", "TranslationAddresses.swift", "StandIns.swift", "ServiceTranslator.swift",
        "TranslationDevice.swift", "TranslationKeeper.swift",
    ]
    /// What names one in code, whatever its case: values, types, protocol numbers, words on wire and command line.
    private static let names = ["ipv4", "ipv6", "ip4", "ip6", "inet6", "v4", "v6", "\"ip\""]

    /// The sources of the proxy, by name.
    private func sources() throws -> [String: String] {
        let directory = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "../../Sources/ServiceProxy")
        let files = FileManager.default.enumerator(at: directory, includingPropertiesForKeys: nil)
        var sources: [String: String] = [:]
        while let file = files?.nextObject() as? URL {
            guard file.pathExtension == "swift" else { continue }
            sources[file.lastPathComponent] = try String(contentsOf: file, encoding: .utf8)
        }
        return sources
    }

    /// The lines of code that name a family; comments may.
    private func lines(of source: String) -> [String] {
        source.split(separator: "\n").map { line in
            String(line.firstRange(of: "//").map { line[..<$0.lowerBound] } ?? line)
        }.filter { line in Self.names.contains { line.lowercased().contains($0) } }
    }

    @Test("No code of the proxy names a family, but for the encoders")
    func names() throws {
        let sources = try sources()
        #expect(sources["ServiceProxyModel+Compile.swift"] != nil && sources["TableLayout+Rules.swift"] != nil)
        for (name, source) in sources where !Self.encoders.contains(name) {
            #expect(lines(of: source).isEmpty, "\(name)")
        }
        // The test sees a family where one is named.
        for name in Self.encoders { #expect(!lines(of: sources[name] ?? "").isEmpty, "\(name)") }
    }
}
