import AddressPlanning
import Addresses
import TestSupport
import Testing

@Suite struct BlockSpaceTests {
    /// A space that keeps each taken address, within 256 of them.
    private struct Naive {
        let base: IPAddress
        var taken: Set<UInt128> = []

        func addresses(_ prefix: IPPrefix) -> [UInt128] {
            Array(prefix.first.bits...prefix.last.bits)
        }

        func isFree(_ prefix: IPPrefix) -> Bool { addresses(prefix).allSatisfy { !taken.contains($0) } }

        func blocks(_ prefix: IPPrefix, _ length: Int) -> [IPPrefix] {
            guard length >= prefix.length else { return [] }
            return (0..<(1 << (length - prefix.length))).compactMap { prefix.subnet(at: UInt128($0), length: length) }
                .filter(isFree)
        }
    }

    private static func prefix(
        in family: IPFamily, _ base: IPAddress, using generator: inout SeededGenerator
    ) throws -> IPPrefix {
        let address = try #require(base.advanced(by: .random(in: 0..<256, using: &generator)))
        return IPPrefix(address, length: .random(in: (family.bitWidth - 8)...family.bitWidth, using: &generator))
    }

    @Test(
        arguments: ["10.1.2.0", "255.255.255.0", "0.0.0.0", "fd00::1200", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ff00"],
        UInt64(1)...2)
    func `A space answers as one that keeps each address`(base: String, seed: UInt64) throws {
        let base = try #require(IPAddress(base))
        var generator = SeededGenerator(seed: seed)
        var space = BlockSpace(base.family)
        var naive = Naive(base: base)
        for step in 0..<200 {
            let prefix = try Self.prefix(in: base.family, base, using: &generator)
            if Bool.random(using: &generator) {
                space.take(prefix)
                naive.taken.formUnion(naive.addresses(prefix))
            } else {
                space.release(prefix)
                naive.taken.subtract(naive.addresses(prefix))
            }
            let asked = try Self.prefix(in: base.family, base, using: &generator)
            let length = min(base.family.bitWidth, asked.length + .random(in: 0...3, using: &generator))
            let from = try #require(base.advanced(by: .random(in: 0..<256, using: &generator)))
            let blocks = naive.blocks(asked, length)
            let remark: Comment = "seed \(seed), step \(step), \(asked) /\(length) from \(from)"
            #expect(space.isFree(asked) == naive.isFree(asked), remark)
            #expect(space.countFree(in: asked, length: length) == UInt128(blocks.count), remark)
            #expect(
                space.firstFree(in: asked, length: length, from: from) == blocks.first { $0.first >= from }, remark)
        }
        space.release(IPPrefix(base, length: 0))
        #expect(space.size == 0, "nothing taken costs nothing")
    }

    @Test func `A prefix of any size costs nothing, and blocks in a row next to nothing`() throws {
        var space = BlockSpace(.ipv6)
        let site = try #require(IPPrefix("2001:db8::/32"))
        #expect(space.countFree(in: site, length: 64) == 1 << 32)
        #expect(space.countFree(in: IPPrefix(.unspecified(.ipv6), length: 0), length: 128) == .max)
        var from = site.first
        for _ in 0..<60_000 {
            let block = try #require(space.firstFree(in: site, length: 64, from: from))
            space.take(block)
            from = try #require(block.last.advanced(by: 1))
        }
        #expect(space.countFree(in: site, length: 64) == (1 << 32) - 60_000)
        #expect(space.size <= 64)
    }
}
