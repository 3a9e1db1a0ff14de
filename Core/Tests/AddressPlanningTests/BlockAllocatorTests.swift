import AddressPlanning
import Addresses
import TestSupport
import Testing

func prefix(_ text: String) throws -> IPPrefix { try #require(IPPrefix(text), "\(text) is no prefix") }

/// A pool of prefixes as text; those in brackets are draining.
func pool(_ name: String, _ prefixes: [String], four: Int = 26, six: Int = 64) throws -> BlockPool {
    BlockPool(
        name: name,
        sources: try prefixes.map { text in
            let isDraining = text.hasPrefix("(")
            return .init(try prefix(isDraining ? String(text.dropFirst().dropLast()) : text), isDraining: isDraining)
        }, blockLengths: [.ipv4: four, .ipv6: six])
}

@Suite struct BlockAllocatorTests {
    private static let fragments = ["10.12.0.0/22", "10.77.16.0/23", "192.168.200.0/24"]

    private static func all(_ allocator: inout BlockAllocator, _ family: IPFamily, from name: String) -> [String] {
        var blocks: [String] = []
        while let block = allocator.allocate(family, from: name) { blocks.append(block.description) }
        return blocks
    }

    @Test func `Fragments are used up one after another, to the last block`() throws {
        var allocator = BlockAllocator()
        allocator.setPool(try pool("left", Self.fragments))
        #expect(allocator.free(.ipv4, in: "left") == 16 + 8 + 4)
        let blocks = Self.all(&allocator, .ipv4, from: "left")
        #expect(blocks.count == 28)
        #expect(blocks.first == "10.12.0.0/26")
        #expect(blocks[16] == "10.77.16.0/26")
        #expect(blocks.last == "192.168.200.192/26")
        #expect(allocator.free(.ipv4, in: "left") == 0)
        allocator.release(try prefix("10.77.17.64/26"))
        #expect(Self.all(&allocator, .ipv4, from: "left") == ["10.77.17.64/26"])
    }

    @Test func `A freed block comes back only after all others`() throws {
        var allocator = BlockAllocator()
        allocator.setPool(try pool("p", ["10.0.0.0/23", "10.9.0.0/23"], four: 24))
        let first = try #require({ allocator.allocate(.ipv4, from: "p") }())
        allocator.release(first)
        #expect(
            Self.all(&allocator, .ipv4, from: "p") == ["10.0.1.0/24", "10.9.0.0/24", "10.9.1.0/24", "10.0.0.0/24"])
    }

    @Test(arguments: [
        ("10.0.0.0/22", 24, ["10.0.1.0/24"], ["10.0.0.0/24", "10.0.2.0/24", "10.0.3.0/24"], "one block"),
        ("10.0.0.0/22", 24, ["10.0.1.128/25"], ["10.0.0.0/24", "10.0.2.0/24", "10.0.3.0/24"], "part of a block"),
        ("10.0.0.0/22", 24, ["10.0.2.0/23"], ["10.0.0.0/24", "10.0.1.0/24"], "several blocks"),
        ("10.0.0.0/22", 24, ["10.0.0.0/16"], [], "all and more"),
        ("10.0.0.0/23", 24, ["fd00::/64"], ["10.0.0.0/24", "10.0.1.0/24"], "the other family"),
        ("fd00::/62", 64, ["fd00::/112"], ["fd00:0:0:1::/64", "fd00:0:0:2::/64", "fd00:0:0:3::/64"], "IPv6"),
        ("fd00::/64", 64, [], ["fd00::/64"], "a single block"),
    ])
    func `Excluded prefixes are never given`(
        range: String, length: Int, excluded: [String], expected: [String], remark: String
    ) throws {
        var allocator = BlockAllocator(excluding: try excluded.map(prefix))
        let range = try prefix(range)
        allocator.setPool(try pool("p", [range.description], four: length, six: length))
        #expect(allocator.free(range.family, in: "p") == UInt128(expected.count))
        let given = Self.all(&allocator, range.family, from: "p")
        #expect(given == expected)
        for block in given { allocator.release(try prefix(block)) }
        #expect(Self.all(&allocator, range.family, from: "p").sorted() == expected.sorted(), "\(remark), once more")
    }

    @Test func `A block taken in one pool is taken in all that overlap it`() throws {
        var allocator = BlockAllocator()
        allocator.setPool(try pool("small", ["10.0.0.0/24"], four: 26))
        allocator.setPool(try pool("large", ["10.0.0.0/23"], four: 24))
        let small = try #require({ allocator.allocate(.ipv4, from: "small") }())
        #expect(allocator.free(.ipv4, in: "large") == 1)
        #expect(Self.all(&allocator, .ipv4, from: "large") == ["10.0.1.0/24"])
        allocator.release(small)
        #expect(allocator.free(.ipv4, in: "large") == 1)
        #expect(Self.all(&allocator, .ipv4, from: "large") == ["10.0.0.0/24"])
        #expect(allocator.free(.ipv4, in: "small") == 0)
    }

    @Test func `Two who have the same addresses are noticed, and the last one frees them`() throws {
        var allocator = BlockAllocator()
        allocator.setPool(try pool("p", ["10.0.0.0/24"], four: 24))
        let block = try prefix("10.0.0.0/24")
        let part = try prefix("10.0.0.64/26")
        #expect({ allocator.occupy(block) }())
        #expect(!{ allocator.occupy(block) }())
        #expect(!{ allocator.occupy(part) }())
        allocator.release(block)
        allocator.release(block)
        #expect({ allocator.allocate(.ipv4, from: "p") }() == nil)
        allocator.release(part)
        #expect({ allocator.allocate(.ipv4, from: "p") }() == block)
    }

    @Test func `A draining prefix gives nothing, and its blocks are known`() throws {
        var allocator = BlockAllocator()
        allocator.setPool(try pool("p", ["10.0.0.0/25", "10.9.0.0/25"]))
        let block = try #require({ allocator.allocate(.ipv4, from: "p") }())
        #expect(allocator.pool(of: block) == "p")
        #expect(!allocator.isLeaving(block, pool: "p"))
        allocator.setPool(try pool("p", ["(10.0.0.0/25)", "10.9.0.0/25"]))
        #expect(allocator.isLeaving(block, pool: "p"))
        #expect(Self.all(&allocator, .ipv4, from: "p") == ["10.9.0.0/26", "10.9.0.64/26"])
        allocator.setPool(try pool("p", ["10.0.0.0/25", "10.9.0.0/25"]))
        #expect(Self.all(&allocator, .ipv4, from: "p") == ["10.0.0.64/26"])
    }

    @Test(
        "The pool that suits best comes first",
        arguments: [
            ([("a", 0), ("b", 2), ("c", 1)], "b", "most requirements met"),
            ([("a", 1), ("fewest", 1)], "fewest", "fewest free blocks"),
            ([("a", 1), ("tiny", 1)], "tiny", "smallest blocks"),
            ([("b", 1), ("a", 1)], "a", "by name"),
            ([("full", 9), ("c", 0)], "c", "a full one is passed over"),
        ])
    func ranking(candidates: [(String, Int)], expected: String, remark: String) throws {
        var allocator = BlockAllocator(excluding: [try prefix("10.99.0.0/16")])
        allocator.setPool(try pool("a", ["10.1.0.0/24"]))
        allocator.setPool(try pool("b", ["10.2.0.0/24"]))
        allocator.setPool(try pool("c", ["10.3.0.0/24"]))
        allocator.setPool(try pool("fewest", ["10.4.0.0/25"]))
        allocator.setPool(try pool("tiny", ["10.5.0.0/26"], four: 28))
        allocator.setPool(try pool("full", ["10.99.0.0/24"]))
        let grants = allocator.allocate(
            [.ipv4, .ipv6], among: candidates.map { .init(pool: $0.0, specificity: $0.1) })
        #expect(grants?.map(\.pool) == [expected], "\(remark)")
    }

    @Test func `A node gets what its pools have, all or nothing`() throws {
        var allocator = BlockAllocator()
        allocator.setPool(try pool("both", ["10.0.0.0/26", "fd00::/63"]))
        allocator.setPool(try pool("four", ["10.8.0.0/26"]))
        let candidates: [BlockAllocator.Candidate] = ["both", "four"].map { .init(pool: $0, specificity: 0) }
        let first = allocator.allocate([.ipv6, .ipv4], among: candidates)
        #expect(first?.map(\.pool) == ["both", "both"])
        #expect(first?.map(\.block.family) == [.ipv6, .ipv4])
        // IPv4 of the first pool is used up; the family that the second lacks still comes from the first.
        let second = allocator.allocate([.ipv6, .ipv4], among: candidates)
        #expect(second?.map(\.pool) == ["both", "four"])
        #expect({ allocator.allocate([.ipv6, .ipv4], among: candidates) }() == nil)
        allocator.release(try prefix("10.8.0.0/26"))
        #expect({ allocator.allocate([.ipv6, .ipv4], among: candidates) }() == nil)
        #expect(allocator.free(.ipv4, in: "four") == 1, "what was tried in vain is free again")
        #expect({ allocator.allocate([.ipv4], among: candidates) }()?.map(\.pool) == ["four"])
        #expect({ allocator.allocate([.ipv4, .ipv6], among: []) }() == [])
    }

    @Test(arguments: UInt64(1)...10)
    func `Numbers of free blocks stay true, and no address is given twice`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var allocator = BlockAllocator(excluding: [try prefix("10.0.1.128/26")])
        let pools = [
            try pool("a", ["10.0.0.0/24", "10.0.2.0/25"], four: 27), try pool("b", ["10.0.0.0/22"], four: 26),
            try pool("c", ["10.0.1.0/24", "10.0.3.192/26"], four: 28),
        ]
        for pool in pools { allocator.setPool(pool) }
        var held: [IPPrefix] = []
        for step in 0..<100 {
            if Int.random(in: 0..<5, using: &generator) < 3 {
                let pool = try #require(pools.randomElement(using: &generator))
                if let block = allocator.allocate(.ipv4, from: pool.name) {
                    #expect(!held.contains { $0.overlaps(block) }, "seed \(seed), step \(step)")
                    #expect(!block.overlaps(try prefix("10.0.1.128/26")), "seed \(seed), step \(step)")
                    held.append(block)
                } else {
                    #expect(allocator.free(.ipv4, in: pool.name) == 0, "seed \(seed), step \(step)")
                }
            } else if let index = held.indices.randomElement(using: &generator) {
                allocator.release(held.remove(at: index))
            }
            var fresh = BlockAllocator(excluding: [try prefix("10.0.1.128/26")])
            for block in held { #expect({ fresh.occupy(block) }()) }
            for pool in pools {
                fresh.setPool(pool)
                #expect(
                    fresh.free(.ipv4, in: pool.name) == allocator.free(.ipv4, in: pool.name),
                    "seed \(seed), step \(step), pool \(pool.name)")
            }
        }
    }
}
