import BPF
import Linux
import TestSupport
import Testing

@Suite("Objects", .enabled(if: BPFLab.isPossible, "needs root, bpftool and clang"))
struct ObjectTests {
    @Test("An object yields its maps, variables and programs")
    func specification() throws {
        let sample = try BPFLab.sample()
        #expect(
            Set(sample.maps.keys) == ["counters", "recent", "prefixes", "per_cpu", ".rodata", ".bss", ".data"])
        #expect(
            sample.maps["prefixes"]
                == MapSpecification(
                    "prefixes", .longestPrefix, keySize: 8, valueSize: 4, capacity: 16, flags: .noPreallocation))
        #expect(sample.maps[".data"]?.contents == [5, 0, 0, 0])
        #expect(Set(sample.programs.keys) == ["measure", "classify", "drop", "redirect", "refuse"])
        #expect(sample.programs["redirect"]?.kind == CgroupHook.connect4.kind)
        #expect(sample.programs["drop"]?.instructions.count == 2)
        #expect(sample.programs["measure"]?.license == "Apache-2.0")
    }

    @Test("Bytes that are no object are refused with a reason, whatever is wrong with them")
    func malformed() throws {
        let object = try BPFLab.compile("sample")
        #expect(throws: BPFError.self) { try CollectionSpecification(object: [1, 2, 3], name: "x") }
        for count in 0..<object.count {
            _ = try? CollectionSpecification(object: Array(object.prefix(count)), name: "x")
        }
        for seed in 0..<2000 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            var damaged = object
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                damaged[Int.random(in: damaged.indices, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            // It may be read or refused, and must not trap.
            _ = try? CollectionSpecification(object: damaged, name: "x")
        }
    }

    @Test("The verifier's reason is in the error")
    func verdict() throws {
        // Returns without a value in r0.
        let bare = ProgramSpecification("bare", .packets, [Instruction(rawValue: 0x95)], license: "Apache-2.0")
        let error = #expect(throws: BPFError.self) { _ = try BPFProgram(loading: bare).descriptor.rawValue }
        #expect(error?.detail.contains("R0 !read_ok") == true, "\(error.map(\.description) ?? "")")
    }
}
