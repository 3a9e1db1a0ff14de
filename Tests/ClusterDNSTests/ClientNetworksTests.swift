import Addresses
import ClusterDNS
import DNSResolution
import Testing

@Suite struct `Networks of clients` {
    private func prefix(_ text: String) throws -> IPPrefix { try #require(IPPrefix(text)) }

    @Test(arguments: [5, 5000])
    func `change by what one node says, however many nodes there are`(count: Int) throws {
        var networks = ClientNetworks()
        func statement(_ number: Int) -> [IPPrefix: ClientNetwork] {
            let node = UInt32(number)
            let pods = ClientNetwork.pods([.ipv4, .ipv6])
            return [
                IPPrefix(.v4(IPv4Address(rawValue: 0x0A00_0000 + node << 8)), length: 24): pods,
                IPPrefix(.v6(IPv6Address(rawValue: 0xFD00 << 112 + UInt128(node) << 64)), length: 64): pods,
                IPPrefix(.v4(IPv4Address(rawValue: 0xAC10_0000 + node)), length: 32): .others,
            ]
        }
        for number in 0..<count { #expect(networks.set(.node("node-\(number)"), statement(number)).count == 3) }
        #expect(networks.set(.node("node-0"), statement(0)).isEmpty, "a heartbeat says nothing new")
        #expect(networks.set(.node("one more"), statement(count)).count == 3)
        #expect(networks.set(.node("one more"), [:]).allSatisfy { $0.network == nil })
        #expect(networks.families == [.ipv4, .ipv6])
        for number in 0..<count { #expect(networks.set(.node("node-\(number)"), [:]).count == 3) }
        #expect(networks.families.isEmpty)
    }

    @Test func `are those of pods if anybody says so, and last until nobody says anything`() throws {
        var networks = ClientNetworks()
        let network = try prefix("10.244.1.0/24")
        #expect(networks.set(.configuration, [network: .others]).map(\.network) == [.others])
        #expect(networks.families.isEmpty)
        #expect(networks.set(.node("a"), [network: .pods([.ipv4])]).map(\.network) == [.pods([.ipv4])])
        #expect(networks.set(.server, [network: .others]).isEmpty)
        #expect(networks.set(.node("b"), [network: .pods([.ipv4, .ipv6])]).map(\.network) == [.pods([.ipv4, .ipv6])])
        #expect(networks.set(.node("b"), [:]).map(\.network) == [.pods([.ipv4])])
        #expect(networks.set(.node("a"), [:]).map(\.network) == [.others])
        #expect(networks.set(.configuration, [:]).isEmpty)
        #expect(networks.set(.server, [:]).map(\.prefix) == [network])
        #expect(networks.families.isEmpty)
    }
}
