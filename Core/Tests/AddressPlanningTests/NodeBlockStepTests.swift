import AddressPlanning
import Addresses
import TestSupport
import Testing

@Suite struct NodeBlockStepTests {
    /// A node and its pools.
    private struct Node {
        var allocator = BlockAllocator()
        var held: [HeldBlock] = []
        var idleSince: [IPPrefix: Int] = [:]
        let candidates = [BlockAllocator.Candidate(pool: "p", specificity: 0)]

        init(_ prefixes: [String], first: String) throws {
            try set(prefixes)
            let block = try prefix(first)
            _ = allocator.occupy(block)
            held = [HeldBlock(block, pool: "p", isPermanent: true)]
        }

        mutating func set(_ prefixes: [String]) throws { allocator.setPool(try pool("p", prefixes)) }

        /// The node reports, the step is taken, and its outcome becomes what the node has.
        mutating func step(used: [String: Int], at now: Int = 0) throws -> NodeBlockStep {
            for (text, used) in used {
                let block = try prefix(text)
                let index = try #require(held.firstIndex { $0.block == block })
                held[index].usage = .init(used: used, capacity: 61, isReleasing: held[index].isReleasing)
            }
            let step = NodeBlockStep(
                held, among: candidates, from: &allocator, idleSince: &idleSince, now: now,
                policy: .init(returnDelay: 60))
            for block in step.returned { allocator.release(block) }
            held = step.blocks
            return step
        }

        /// Blocks as text; those that are releasing in brackets.
        var text: [String] { held.map { $0.isReleasing ? "(\($0.block))" : $0.block.description } }
    }

    @Test(arguments: [
        (0, 1, "empty"), (46, 1, "15 are free, a quarter of the block"), (47, 2, "14 are free"), (61, 2, "full"),
        (70, 2, "more than full"),
    ])
    func `A node gets a further block when few addresses are free`(used: Int, blocks: Int, remark: String) throws {
        var node = try Node(["10.0.0.0/24"], first: "10.0.0.0/26")
        _ = try node.step(used: ["10.0.0.0/26": used])
        #expect(node.held.count == blocks, "\(remark)")
        // The new block is not reported yet: nothing more until it is.
        _ = try node.step(used: ["10.0.0.0/26": used])
        #expect(node.held.count == blocks, "\(remark)")
    }

    @Test func `Nothing happens to a node that reports nothing`() throws {
        var node = try Node(["10.0.0.0/24"], first: "10.0.0.0/26")
        let step = try node.step(used: [:])
        #expect(node.text == ["10.0.0.0/26"])
        #expect(step.secondsToNext == nil)
    }

    @Test func `An empty block goes after the delay, in two phases`() throws {
        var node = try Node(["10.0.0.0/24"], first: "10.0.0.0/26")
        let (first, second) = ("10.0.0.0/26", "10.0.0.64/26")
        _ = try node.step(used: [first: 60])
        _ = try node.step(used: [first: 40, second: 0], at: 100)
        #expect(node.text == [first, second], "twice the reserve would not be left")
        let waiting = try node.step(used: [first: 10, second: 0], at: 110)
        #expect(waiting.secondsToNext == 60)
        _ = try node.step(used: [second: 1], at: 120)
        let again = try node.step(used: [second: 0], at: 130)
        #expect(again.secondsToNext == 60, "it was used meanwhile")
        _ = try node.step(used: [:], at: 190)
        #expect(node.text == [first, "(\(second))"])
        // The report is from before: the node may still be giving an address of it.
        let early = try node.step(used: [:], at: 191)
        #expect(early.returned.isEmpty)
        let last = try node.step(used: [second: 0], at: 192)
        #expect(last.returned.map(\.description) == [second])
        #expect(node.text == [first])
        #expect(node.allocator.free(.ipv4, in: "p") == 3)
    }

    @Test func `A block that is on its way back is taken up again before a new one`() throws {
        var node = try Node(["10.0.0.0/24"], first: "10.0.0.0/26")
        let (first, second) = ("10.0.0.0/26", "10.0.0.64/26")
        _ = try node.step(used: [first: 60])
        _ = try node.step(used: [first: 0, second: 0], at: 0)
        _ = try node.step(used: [:], at: 60)
        #expect(node.text == [first, "(\(second))"])
        _ = try node.step(used: [first: 50], at: 61)
        #expect(node.text == [first, second])
    }

    @Test func `A draining block is replaced, and stays in podCIDRs`() throws {
        var node = try Node(["10.0.0.0/26", "10.9.0.0/25"], first: "10.0.0.0/26")
        _ = try node.step(used: ["10.0.0.0/26": 20])
        try node.set(["(10.0.0.0/26)", "10.9.0.0/25"])
        _ = try node.step(used: [:])
        #expect(node.text == ["(10.0.0.0/26)", "10.9.0.0/26"])
        let empty = try node.step(used: ["10.0.0.0/26": 0, "10.9.0.0/26": 20], at: 500)
        #expect(empty.returned.isEmpty)
        #expect(node.text == ["(10.0.0.0/26)", "10.9.0.0/26"])
    }

    @Test func `A further block in a draining prefix is returned when it is empty`() throws {
        var node = try Node(["10.9.0.0/26", "10.0.0.0/25"], first: "10.9.0.0/26")
        _ = try node.step(used: ["10.9.0.0/26": 60])
        #expect(node.text == ["10.9.0.0/26", "10.0.0.0/26"])
        try node.set(["10.9.0.0/26", "(10.0.0.0/25)", "10.8.0.0/26"])
        _ = try node.step(used: ["10.0.0.0/26": 3])
        #expect(node.text == ["10.9.0.0/26", "(10.0.0.0/26)", "10.8.0.0/26"])
        let busy = try node.step(used: ["10.0.0.0/26": 3])
        #expect(busy.returned.isEmpty)
        let done = try node.step(used: ["10.0.0.0/26": 0])
        #expect(done.returned.map(\.description) == ["10.0.0.0/26"])
    }

    @Test func `A block that cannot be replaced stays in use`() throws {
        var node = try Node(["10.0.0.0/26"], first: "10.0.0.0/26")
        try node.set(["(10.0.0.0/26)"])
        let short = try node.step(used: ["10.0.0.0/26": 1])
        #expect(short.shortOf == [.ipv4])
        #expect(node.text == ["10.0.0.0/26"])
        try node.set(["(10.0.0.0/26)", "10.1.0.0/26"])
        _ = try node.step(used: [:])
        #expect(node.text == ["(10.0.0.0/26)", "10.1.0.0/26"])
    }

    @Test func `A block outside all pools is never revoked`() throws {
        var node = try Node(["10.0.0.0/26"], first: "10.0.0.0/26")
        node.held = [HeldBlock(try prefix("172.16.0.0/24"), pool: nil, isPermanent: true)]
        _ = try node.step(used: ["172.16.0.0/24": 3])
        #expect(node.text == ["172.16.0.0/24"])
    }

    @Test(arguments: UInt64(1)...20)
    func `Whatever pods and pools do, a node keeps an active block and what is in use`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var node = try Node(["10.0.0.0/24", "10.9.0.0/24"], first: "10.0.0.0/26")
        for now in 0..<120 {
            if Int.random(in: 0..<10, using: &generator) == 0 {
                let states = ["10.0.0.0/24", "10.9.0.0/24"].map {
                    Bool.random(using: &generator) ? $0 : "(\($0))"
                }
                try node.set(states)
            }
            var used: [String: Int] = [:]
            for held in node.held where Bool.random(using: &generator) {
                let present = held.usage?.used ?? 0
                // A node that has confirmed gives no more addresses of the block.
                let most = held.isReleasing ? present : 61
                used[held.block.description] = Int.random(in: 0...most, using: &generator) / 8 * 8
            }
            let before = node.held
            let step = try node.step(used: used, at: now * 10)
            for gone in step.returned {
                let block = before.first { $0.block == gone }
                #expect(block?.isReleasing == true && block?.isPermanent == false, "seed \(seed), at \(now)")
                #expect(used[gone.description] ?? block?.usage?.used == 0, "seed \(seed), at \(now)")
            }
            let isServed = node.held.contains { !$0.isReleasing }
            #expect(isServed || step.shortOf == [.ipv4], "seed \(seed), at \(now)")
            #expect(Set(node.held.map(\.block)).count == node.held.count)
        }
    }
}
