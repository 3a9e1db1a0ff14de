import Addresses
import ServiceProxy

/// The `index`-th sample address of a network in each family.
func address(_ family: IPFamily, network: UInt128, _ index: UInt128) -> IPAddress {
    let base: UInt128 = family == .ipv4 ? 0x0a00_0000 : 0xfd00_0010 << 96
    return IPAddress(family: family, bits: base + network << 16 + index)
}

func clusterIP(_ family: IPFamily, _ index: UInt128) -> IPAddress { address(family, network: 96, index) }
func podIP(_ family: IPFamily, _ index: UInt128) -> IPAddress { address(family, network: 244, index) }

extension ServiceName {
    init(_ name: String) {
        self.init(namespace: "default", name: name)
    }
}

extension ProxiedSlice {
    /// A slice with one port and ready endpoints with these numbers.
    init(_ service: String, _ family: IPFamily, port: UInt16, transport: TransportProtocol = .tcp, pods: [UInt128]) {
        self.init(
            service: ServiceName(service), ports: [Port(transport: transport, port: port)],
            endpoints: pods.map { Endpoint(address: podIP(family, $0)) })
    }
}

extension ProxyTable {
    /// The backends of a frontend whatever their slots.
    func backends(of frontend: Frontend) -> Set<Backend> {
        Set(slots.lazy.filter { $0.key.frontend == frontend }.map(\.value))
    }

    /// The table with the slots of every frontend in the order of its backends.
    func canonical() -> ProxyTable {
        var table = self
        table.slots = [:]
        for frontend in actions.keys {
            for (index, backend) in backends(of: frontend).sorted().enumerated() {
                table.slots[Slot(frontend, UInt32(index))] = backend
            }
        }
        return table
    }
}
