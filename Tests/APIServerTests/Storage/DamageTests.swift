import APIServer
import Foundation
import Testing

@Suite("Damage on the disk, and copies", .serialized)
struct DamageTests {
    @Test("A changed byte of an object is noticed and named")
    func changedByte() async throws {
        let harness = try StoreHarness()
        let store = try harness.open()
        try await store.put(0..<20, size: 500)
        try await store.close()
        let value = Data(String(repeating: "v", count: 500).utf8)
        try harness.edit(harness.path) { data in
            guard let found = data.range(of: value) else {
                Issue.record("no value in the file")
                return
            }
            data[found.lowerBound + 100] = UInt8(ascii: "w")
        }
        let refusal = harness.refusal()
        #expect(refusal.contains(harness.path) && refusal.contains("is damaged"))
        #expect(refusal.contains("duet server restore"))
    }

    @Test("Bytes changed anywhere in the database never end the process; the state is whole or refused")
    func changedAnywhere() async throws {
        let harness = try StoreHarness()
        let store = try harness.open()
        try await store.put(0..<200, size: 300)
        let contents = store.contents
        try await store.close()
        let original = try Data(contentsOf: URL(fileURLWithPath: harness.path))
        let seed = UInt64.random(in: .min ... .max)
        var state = seed
        for _ in 0..<150 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let position = Int(state >> 33) % original.count
            try harness.edit(harness.path) {
                $0 = original; $0[position] ^= UInt8(truncatingIfNeeded: state >> 20) | 1
            }
            guard let found = try? harness.open() else { continue }
            #expect(found.contents == contents, "seed \(seed), byte \(position)")
            try? await found.close()
        }
    }

    @Test("A database that is cut off is refused", arguments: [0.3, 0.6, 0.95])
    func cutOff(part: Double) async throws {
        let harness = try StoreHarness()
        let store = try harness.open()
        try await store.put(0..<200, size: 300)
        try await store.close()
        try harness.edit(harness.path) { $0 = $0.prefix(Int(Double($0.count) * part)) }
        #expect(harness.refusal().contains(harness.path))
    }

    @Test("A write-ahead log that lost acknowledged writes is noticed", arguments: [true, false])
    func lostWrites(isCutOff: Bool) async throws {
        let harness = try StoreHarness()
        let store = try harness.open()
        for number in 0..<30 {
            try await store.put([number])
        }
        // As after `kill -9`: the log has not been brought into the database.
        let copy = try StoreHarness()
        for suffix in ["", "-wal", ".revision"] {
            try FileManager.default.copyItem(atPath: harness.path + suffix, toPath: copy.path + suffix)
        }
        try await store.close()
        try copy.edit(copy.path + "-wal") { data in
            if isCutOff {
                data = data.prefix(data.count / 2)
            } else {
                data[data.count / 2] ^= 0xff
            }
        }
        let refusal = copy.refusal()
        #expect(refusal.contains("but revision 30 was acknowledged"), "\(refusal)")
        try FileManager.default.removeItem(atPath: copy.path + ".revision")
        let rest = try copy.open()
        #expect(!rest.contents.isEmpty && rest.contents.count < 30, "What is left, for who accepts the loss")
        try await rest.close()
    }

    @Test("A copy of a store in use can be restored, and its revisions begin behind all that clients have seen")
    func backup() async throws {
        let harness = try StoreHarness()
        let keys = harness.directory + "/pki"
        try FileManager.default.createDirectory(atPath: keys, withIntermediateDirectories: true)
        try Data("secret".utf8).write(to: URL(fileURLWithPath: keys + "/ca.key"))
        let store = try harness.open()
        try await store.put(0..<100)
        let contents = store.contents
        let file = harness.directory + "/backup"
        let made = try StateBackup.create(file, dataDirectory: harness.directory)
        #expect(made.rows == 100 && made.revision == 100)
        #expect(throws: ConfigurationError.self) { try StateBackup.create(file, dataDirectory: harness.directory) }
        try await store.put(100..<120)

        let copy = try StoreHarness()
        try StateBackup.restore(file, dataDirectory: copy.directory)
        let restored = try copy.open()
        #expect(restored.contents == contents)
        #expect(restored.revision > 1_000_000_000)
        #expect(restored.watch(restored.configMaps, after: store.revision) == nil, "Too old")
        #expect(try String(contentsOfFile: copy.directory + "/pki/ca.key", encoding: .utf8) == "secret")
        try await restored.put([1])
        #expect(restored.revision > 1_000_000_001)
        try await restored.close()
        #expect(throws: ConfigurationError.self) { try StateBackup.restore(file, dataDirectory: copy.directory) }
        try await store.close()
    }

    @Test("A damaged copy is refused and leaves nothing")
    func damagedBackup() async throws {
        let harness = try StoreHarness()
        let store = try harness.open()
        try await store.put(0..<50, size: 400)
        let file = harness.directory + "/backup"
        try StateBackup.create(file, dataDirectory: harness.directory)
        try await store.close()
        try harness.edit(file) { data in
            let value = Data(String(repeating: "v", count: 400).utf8)
            data[data.range(of: value).map { $0.lowerBound + 7 } ?? 0] = 0
        }
        let target = harness.directory + "/new"
        #expect(throws: ConfigurationError.self) { try StateBackup.restore(file, dataDirectory: target) }
        #expect(!FileManager.default.fileExists(atPath: target))
        #expect(throws: ConfigurationError.self) {
            try StateBackup.restore(harness.directory + "/absent", dataDirectory: target)
        }
    }
}
