import ParserChecks
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Every check on its corpus, and on bytes that are made of it from seeds.
@Suite struct ParserChecksTests {
    /// Number of mutations of a corpus.
    private static let mutations = 20_000 as UInt64
    private static let checks = ParserCheck.all.map(\.name)

    /// The corpus lies beside the fuzzer.
    private static func corpus(_ name: String) -> [[UInt8]] {
        let root = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        let path = "/\(root)/Fuzz/Corpus/\(name)"
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var files: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { files.append(name) }
        }
        return files.sorted().map { bytes("\(path)/\($0)") }
    }

    private static func bytes(_ path: String) -> [UInt8] {
        guard let file = fopen(path, "r") else { return [] }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var byte = fgetc(file)
        while byte != EOF {
            bytes.append(UInt8(truncatingIfNeeded: byte))
            byte = fgetc(file)
        }
        return bytes
    }

    /// What parsers trip over.
    private static let pieces: [[UInt8]] =
        [
            "null", "{}", "[]", "\"\"", "-1", "9223372036854775807", "1e308", "\\ud800", "\n", "/", "~1", "$patch",
            "delete",
            "\":", "\u{0}", "k:{\"name\":", "f:", "v:", "=", "!", "(", ")", ",", "::", ".", "%",
        ].map { Array($0.utf8) } + [
            [0xFF], [0x80], [0xFF, 0xFF, 0xFF, 0xFF, 0x7F], Array(repeating: 0x5B, count: 700),
        ]

    /// Some bytes of a corpus, changed in some places.
    private static func mutated(_ corpus: [[UInt8]], _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = corpus.randomElement(using: &generator) ?? []
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let place = Int.random(in: 0...bytes.count, using: &generator)
            let end = min(bytes.count, place + Int.random(in: 0...8, using: &generator))
            switch Int.random(in: 0..<6, using: &generator) {
            case 0 where place < bytes.count: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 1 where place < bytes.count: bytes[place] = UInt8.random(in: 0...255, using: &generator)
            case 2: bytes.removeSubrange(place..<end)
            case 3: bytes.insert(contentsOf: bytes[place..<end], at: place)
            case 4: bytes.insert(contentsOf: pieces.randomElement(using: &generator) ?? [], at: place)
            default:
                let other = corpus.randomElement(using: &generator) ?? []
                bytes = Array(bytes[..<place] + other.suffix(max(0, other.count - place)))
            }
        }
        return bytes
    }

    @Test(arguments: checks)
    func `a parser keeps its word on the corpus and on what is made of it`(name: String) throws {
        let check = try #require(ParserCheck.all.first { $0.name == name })
        let corpus = Self.corpus(name)
        #expect(corpus.count > 2, "the corpus of \(name) is missing")
        for (index, bytes) in corpus.enumerated() {
            #expect(check.run(bytes) == nil, "\(name): file \(index)")
        }
        for seed in 0..<Self.mutations {
            var generator = SeededGenerator(seed: seed)
            let bytes = Self.mutated(corpus, &generator)
            let failure = check.run(bytes)
            #expect(failure == nil, "\(name), seed \(seed): \(String(decoding: bytes, as: UTF8.self))")
        }
    }
}
