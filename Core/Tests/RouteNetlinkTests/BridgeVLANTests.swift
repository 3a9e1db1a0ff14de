import Testing

@testable import RouteNetlink

@Suite struct `The VLANs of a port` {
    /// `struct bridge_vlan_info`: two bytes of flags (2 default, 4 untagged, 8 and 16 begin and end of a range), then the
    /// number.
    @Test(
        arguments: [
            ([], []),
            ([BridgeVLAN(100, isDefault: true, isUntagged: true)], [[6, 0, 100, 0]]),
            ([BridgeVLAN(10), BridgeVLAN(12)], [[0, 0, 10, 0], [0, 0, 12, 0]]),
            ([BridgeVLAN(10), BridgeVLAN(11)], [[8, 0, 10, 0], [16, 0, 11, 0]]),
            (
                [BridgeVLAN(1), BridgeVLAN(2, isUntagged: true), BridgeVLAN(3, isUntagged: true)],
                [[0, 0, 1, 0], [12, 0, 2, 0], [20, 0, 3, 0]]
            ),
            (
                [BridgeVLAN(1, isDefault: true), BridgeVLAN(2, isDefault: true)],
                [[2, 0, 1, 0], [2, 0, 2, 0]]
            ),
            ((1...4094).map { BridgeVLAN($0) }, [[8, 0, 1, 0], [16, 0, 0xFE, 0x0F]]),
        ] as [([BridgeVLAN], [[UInt8]])])
    func `are written as ranges`(vlans: [BridgeVLAN], expected: [[UInt8]]) {
        #expect(BridgeVLAN.runs(vlans).map { $0.vlan.information($0.range) } == expected)
    }
}
