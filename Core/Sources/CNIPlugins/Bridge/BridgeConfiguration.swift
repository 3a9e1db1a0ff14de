import CNI
import JSON
import RouteNetlink

/// The configuration of `bridge`.
struct BridgeConfiguration {
    /// The bridge's name.
    let bridge: String
    /// Whether the bridge gets the gateway's address.
    let isGateway: Bool
    /// Whether pods get a default route through it.
    let isDefaultGateway: Bool
    /// Whether another address of the bridge gives way to the gateway's.
    let forcesAddress: Bool
    /// Whether what leaves the pod's subnet gets the host's address.
    let masquerades: Bool
    /// The MTU of bridge and veth pair in bytes; 0 leaves it to the kernel.
    let mtu: Int
    /// Whether a port may send back what it received.
    let hairpin: Bool
    /// Whether the bridge takes frames for all stations.
    let isPromiscuous: Bool
    /// Whether the kernel looks for duplicates of the pod's IPv6 addresses before they are usable.
    let detectsDuplicates: Bool
    /// Whether the pod's interface stays down.
    let leavesInterfaceDown: Bool
    /// Whether pods of the bridge are kept from each other.
    let isolatesPort: Bool
    /// The VLANs of the pod's port.
    let vlans: BridgeVLANs
    /// Whether frames from other hardware addresses than the pod's are dropped.
    let checksHardwareAddress: Bool
    /// The hardware address of the pod's interface; nil leaves it to the kernel.
    let mac: MACAddress?
    /// Resolver settings that replace those of the IPAM plugin when there are any.
    let dns: CNIResult.DNS
    /// Whether an IPAM plugin is named; without one the bridge connects the link layer alone.
    let hasAddresses: Bool

    /// Reads and checks the configuration.
    ///
    /// Errors: contradictions and values out of range, with the reference plugin's texts.
    init(_ request: CNIRequest) throws(CNIError) {
        let json = request.configuration.json
        let name = try json.word("bridge")
        bridge = name.isEmpty ? "cni0" : name
        isDefaultGateway = try json.flag("isDefaultGateway")
        isGateway = try json.flag("isGateway") || isDefaultGateway
        forcesAddress = try json.flag("forceAddress")
        masquerades = try Masquerade.isWanted(json)
        mtu = max(0, try json.number("mtu"))
        hairpin = try json.flag("hairpinMode")
        isPromiscuous = try json.flag("promiscMode")
        detectsDuplicates = try json.flag("enabledad")
        leavesInterfaceDown = try json.flag("disableContainerInterface")
        isolatesPort = try json.flag("portIsolation")
        vlans = try BridgeVLANs(json)
        checksHardwareAddress = try json.flag("macspoofchk")
        mac = try Self.mac(request)
        dns = try request.configuration.dns()
        hasAddresses = !request.configuration.ipamType.isEmpty

        guard !(hairpin && isPromiscuous) else {
            throw CNIError("cannot set hairpin mode and promiscuous mode at the same time")
        }
        guard !(leavesInterfaceDown && hasAddresses) else {
            throw CNIError("cannot use IPAM when DisableContainerInterface flag is set")
        }
    }

    /// The most specific hardware address that the runtime asks for.
    private static func mac(_ request: CNIRequest) throws(CNIError) -> MACAddress? {
        let configuration = request.configuration
        var text = try CNIArguments(request.arguments, known: ["MAC"])["MAC"] ?? ""
        if let word = try configuration.conventionArguments?.word("mac"), !word.isEmpty { text = word }
        if let word = try configuration.runtime?.word("mac"), !word.isEmpty { text = word }
        guard !text.isEmpty else { return nil }
        guard let mac = MACAddress(text) else { throw CNIError("address \(text): invalid MAC address") }
        return mac
    }
}
