import BPF
import Linux
import Testing

@Suite("Maps", .enabled(if: BPFLab.isPossible, "needs root, bpftool and clang"))
struct MapTests {
    private static func hash(_ capacity: UInt32, _ kind: MapKind = .hash) -> MapSpecification {
        MapSpecification("numbers", kind, keySize: 4, valueSize: 8, capacity: capacity)
    }

    @Test(
        "Elements are set, found, walked and removed, one by one and many at once", arguments: [MapKind.hash, .lruHash])
    func elements(kind: MapKind) throws {
        let map = try BPFMap<UInt32, UInt64>(creating: Self.hash(5000, kind))
        #expect(try map.value(for: 1) == nil)
        try map.set(1, to: 10, .new)
        #expect(throws: BPFError.self) { try map.set(1, to: 11, .new) }
        #expect(throws: BPFError.self) { try map.set(2, to: 11, .existing) }
        #expect(try map.value(for: 1) == 10)
        #expect(try map.remove(1))
        #expect(try !map.remove(1))
        let numbers = Array(0..<2000 as Range<UInt32>)
        try map.set(numbers.map { ($0, UInt64($0) * 3) })
        var found: [UInt32: UInt64] = [:]
        try map.forEach { found[$0] = $1 }
        #expect(found.count == 2000)
        #expect(found.allSatisfy { $1 == UInt64($0) * 3 })
        // One that is not there does not keep the others from going.
        try map.remove([7, 9999] + numbers.dropFirst(10))
        #expect(try map.keys().sorted() == [0, 1, 2, 3, 4, 5, 6, 8, 9])
    }

    @Test("Kinds of maps without batches are walked by key, and storage of sockets can be made")
    func kinds() throws {
        let trie = try BPFMap<SIMD2<UInt32>, UInt32>(
            creating: MapSpecification(
                "trie", .longestPrefix, keySize: 8, valueSize: 4, capacity: 16, flags: .noPreallocation))
        try trie.set([(SIMD2(8, 1), 10), (SIMD2(16, 1), 20)])
        var found: [UInt32: UInt32] = [:]
        try trie.forEach { found[$0.x] = $1 }
        #expect(found == [8: 10, 16: 20])
        let storage = try BPFMap<UInt32, SIMD2<UInt64>>(
            creating: MapSpecification(
                "storage", .socketStorage, keySize: 4, valueSize: 16, capacity: 0, flags: .noPreallocation))
        let socket = try BPFLab.openSocket()
        try storage.set(UInt32(socket.rawValue), to: SIMD2(7, 8))
        #expect(try storage.value(for: UInt32(socket.rawValue)) == SIMD2(7, 8))
    }

    @Test("A full map says so, and a map of another shape is not opened")
    func refusals() throws {
        let map = try BPFMap<UInt32, UInt64>(creating: Self.hash(2))
        #expect(throws: BPFError.self) { try map.set([(1, 1), (2, 2), (3, 3)]) }
        #expect(try map.keys().sorted() == [1, 2])
        #expect(throws: BPFError.self) { _ = try BPFMap<UInt32, UInt32>(creating: Self.hash(2)).identifier }
    }

    @Test("Pinned maps outlive their owners, and are found again by those who load the same programs")
    func pins() throws {
        let directory = "\(BPFFileSystem.directory)/test-\(ProcessInformation.currentPID)"
        try BPFFileSystem.prepare(directory)
        defer { try? FileSystem.removeTree(directory) }
        let sample = try BPFLab.sample()
        do {
            let collection = try BPFCollection(loading: sample, mapsIn: directory)
            try collection.map("recent", UInt32.self, UInt32.self).set(1, to: 2)
        }
        #expect(try FileSystem.list(directory) == ["counters", "per_cpu", "prefixes", "recent"])
        let again = try BPFCollection(loading: sample, mapsIn: directory)
        #expect(try again.map("recent", UInt32.self, UInt32.self).value(for: 1) == 2)
        let pinned = try BPFMap<UInt32, UInt32>(pinnedAt: "\(directory)/recent")
        #expect(try pinned.identifier == again.map("recent", UInt32.self, UInt32.self).identifier)
        #expect(try BPFLab.shell("bpftool map dump pinned \(directory)/recent").contains("02 00 00 00"))
        var changed = sample
        changed.maps["recent"]?.capacity = 256
        let error = #expect(throws: BPFError.self) {
            _ = try BPFCollection(loading: changed, mapsIn: directory).program("drop")
        }
        #expect(error?.errno == .exists)
    }
}
