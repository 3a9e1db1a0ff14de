import CNI
import JSON
import RouteNetlink

/// The VLANs of a pod's port: none, one without tags (`vlan`), or several with tags (`vlanTrunk`).
struct BridgeVLANs: Hashable {
    /// The VLAN whose frames reach the pod without a tag; nil for none.
    let access: UInt16?
    /// The VLANs whose frames reach the pod with tags, ascending.
    let trunk: [UInt16]
    /// Whether the port stays in the VLANs that the bridge gives every port.
    let keepsDefault: Bool
    /// Whether the configuration speaks of VLANs at all, so that a new bridge tells them apart.
    let areConfigured: Bool

    /// Why a kernel refuses them.
    static let lack =
        "the kernel keeps no VLANs apart on bridges (CONFIG_BRIDGE_VLAN_FILTERING); leave out vlan and vlanTrunk"

    /// Reads and checks `vlan`, `vlanTrunk` and `preserveDefaultVlan`; the texts are the reference plugin's.
    init(_ json: JSONValue) throws(CNIError) {
        let vlan = try json.number("vlan")
        guard (0...4094).contains(vlan) else {
            throw CNIError("invalid VLAN ID \(vlan) (must be between 0 and 4094)")
        }
        let entries = try json.list("vlanTrunk")
        var trunk: Set<UInt16> = []
        for entry in entries { trunk.formUnion(try Self.identifiers(entry)) }
        guard vlan == 0 || trunk.isEmpty else { throw CNIError("cannot set vlan and vlanTrunk at the same time") }
        access = vlan == 0 ? nil : UInt16(vlan)
        self.trunk = trunk.sorted()
        keepsDefault = try json.flag("preserveDefaultVlan", default: true)
        areConfigured = vlan != 0 || !entries.isEmpty
    }

    private init(access: UInt16, keepsDefault: Bool) {
        self.access = access
        trunk = []
        self.keepsDefault = keepsDefault
        areConfigured = true
    }

    /// The VLANs of the gateway's port: the pods' own, or nil where these are not kept apart.
    var gateway: BridgeVLANs? { access.map { BridgeVLANs(access: $0, keepsDefault: keepsDefault) } }

    /// The VLANs to add to a port.
    var settings: [BridgeVLAN] {
        access.map { [BridgeVLAN($0, isDefault: true, isUntagged: true)] } ?? trunk.map { BridgeVLAN($0) }
    }

    /// The VLANs of one entry of `vlanTrunk`: `id`, or `minID` to `maxID`, or both.
    private static func identifiers(_ entry: JSONValue) throws(CNIError) -> [UInt16] {
        guard entry.object != nil else {
            throw CNIError(.decodingFailure, "cannot read \"vlanTrunk\": expected an array of objects")
        }
        var identifiers: [UInt16] = []
        switch (try identifier(entry, "minID"), try identifier(entry, "maxID")) {
        case (let first?, let last?):
            guard first <= last else { throw CNIError("minID is greater than maxID in trunk parameter") }
            identifiers = Array(first...last)
        case (nil, _?):
            throw CNIError("minID and maxID should be configured simultaneously, minID is missing")
        case (_?, nil):
            throw CNIError("minID and maxID should be configured simultaneously, maxID is missing")
        case (nil, nil): break
        }
        if let single = try identifier(entry, "id") { identifiers.append(single) }
        return identifiers
    }

    private static func identifier(_ entry: JSONValue, _ key: String) throws(CNIError) -> UInt16? {
        guard let value = entry[key], !value.isNull else { return nil }
        guard let number = value.int, (1...4094).contains(number) else {
            throw CNIError("incorrect trunk \(key) parameter")
        }
        return UInt16(number)
    }
}
