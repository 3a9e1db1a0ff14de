import Addresses
import NodeTranslation
import Testing

@Suite("The private addresses of a node's pods")
struct PrivateAddressesTests {
    private func pod(_ number: UInt128) -> IPv6Address { IPv6Address(rawValue: 0xfd00 << 112 | number) }

    private func addresses(_ range: String) throws -> PrivateAddresses {
        PrivateAddresses(range: try #require(IPPrefix(range)))
    }

    @Test("Are those of the range but for the network's, the translator's and the broadcast address")
    func all() throws {
        var addresses = try addresses("100.64.0.8/29")
        #expect(addresses.own.description == "100.64.0.9")
        #expect(addresses.capacity == 5)
        let given = (0..<6).map { addresses.assign(.init(pod($0), .translated))?.description }
        #expect(given == ["100.64.0.10", "100.64.0.11", "100.64.0.12", "100.64.0.13", "100.64.0.14", nil])
        let again = addresses.assign(.init(pod(3), .translated))
        #expect(again?.description == "100.64.0.13")
    }

    @Test("Serve more pods than a block of IPv4 holds")
    func many() throws {
        var addresses = try addresses("100.127.0.0/16")
        let given = Set((0..<3000).compactMap { addresses.assign(.init(pod($0), .translated)) })
        #expect(given.count == 3000)
        #expect(addresses.pods(.translated).count == 3000)
    }

    @Test("Come back as late as possible")
    func late() throws {
        var addresses = try addresses("100.64.0.8/29")
        let first = addresses.assign(.init(pod(1), .translated))
        addresses.release(.init(pod(1), .translated))
        let others = (2..<6).map { addresses.assign(.init(pod($0), .translated)) }
        #expect(!others.contains(first))
        let last = addresses.assign(.init(pod(6), .translated))
        #expect(last == first)
    }

    @Test(
        "Stay with their pods when they are taken over, unless they cannot be",
        arguments: [
            ("100.64.0.12", true, "of the range"), ("100.64.0.9", false, "the translator's"),
            ("100.64.0.15", false, "broadcast"), ("100.64.0.16", false, "outside"), ("1.2.3.4", false, "far outside"),
        ])
    func adoption(text: String, isGood: Bool, remark: String) throws {
        var addresses = try addresses("100.64.0.8/29")
        let address = try #require(IPv4Address(text))
        let isAdopted = addresses.adopt(address, for: .init(pod(1), .clat))
        #expect(isAdopted == isGood, "\(remark)")
        let found = addresses.assign(.init(pod(1), .clat))
        #expect((found == address) == isGood, "\(remark)")
        let isTaken = addresses.adopt(found ?? address, for: .init(pod(2), .clat))
        #expect(!isTaken, "another one has it")
        let other = addresses.assign(.init(pod(1), .translated))
        #expect(other != found)
    }
}
