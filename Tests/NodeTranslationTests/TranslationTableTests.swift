import Addresses
import NFTables
import NodeTranslation
import Testing

@Suite("The table of a node's translation")
struct TranslationTableTests {
    private func content(_ pods: Int, allowed: [IPPrefix] = []) -> TranslationTable.Content {
        var content = TranslationTable.Content()
        for number in 0..<UInt32(pods) {
            let address = IPv4Address(rawValue: 0x6440_0002 + number)
            content.translated[address] = IPv6Address(rawValue: 0xfd00 << 112 | UInt128(number))
            content.egress[address] = IPv4Address(rawValue: 0xC000_0200)
        }
        content.destinations = Destinations(allowed: allowed, refused: [:])
        return content
    }

    @Test("One pod more is an element in each map, whatever the number of pods", arguments: [0, 10, 1000])
    func cost(pods: Int) {
        let change = TranslationTable.change(from: content(pods), to: content(pods + 1))
        let elements = change.operations.map { operation in
            if case .addElements(_, _, let elements) = operation { elements.count } else { -1 }
        }
        #expect(elements == [1, 1])
        #expect(TranslationTable.change(from: content(pods), to: content(pods)).isEmpty)
    }

    @Test("A change of content leads to what building anew has")
    func change() throws {
        let ranges = TranslationTable.Ranges(
            pods: try #require(IPPrefix("100.64.0.0/16")), nodes: try #require(IPPrefix("100.65.0.0/16")))
        let contents = [
            content(0), content(3), content(2, allowed: [try #require(IPPrefix("10.0.0.0/16"))]),
            content(2, allowed: [try #require(IPPrefix("10.0.0.0/8")), try #require(IPPrefix("192.168.7.0/24"))]),
            content(1),
        ]
        var fake = NFTablesFake()
        try fake.commit(TranslationTable.rebuilding(ranges, contents[0]))
        for (old, new) in zip(contents, contents.dropFirst()) {
            try fake.commit(TranslationTable.change(from: old, to: new))
            var other = NFTablesFake()
            try other.commit(TranslationTable.rebuilding(ranges, new))
            for set in other.sets(of: TranslationTable.table) {
                let elements = Set(fake.elements(of: TranslationTable.table, set: set.name))
                #expect(elements == Set(other.elements(of: TranslationTable.table, set: set.name)), "\(set.name)")
            }
        }
    }
}
