import Addresses
import CNI
import JSON
import NFTables

/// The configuration of `portmap`.
struct PortMapConfiguration {
    /// The ports to map.
    let mappings: [PortMapping]
    /// Whether answers are made to come back through the host where they would not otherwise.
    let masquerades: Bool
    /// Whether that is done for all connections, not for those of the pod's subnet and of the host itself alone.
    let masqueradesAll: Bool
    /// The bit of a packet's mark that asks for it.
    let markBit: Int
    /// What packets must meet, by family.
    let conditions: [IPFamily: [PortCondition]]

    /// Reads and checks the configuration.
    ///
    /// `backend` and `externalSetMarkChain` choose how the reference plugin does its work; here the same rules serve all
    /// of them. Errors: those of the reference plugin; code 2 for conditions that are not understood.
    init(_ configuration: NetworkConfiguration) throws(CNIError) {
        let json = configuration.json
        let backend = try json.word("backend")
        guard ["", "iptables", "nftables"].contains(backend) else {
            throw CNIError("unrecognized backend: \"\(backend)\"")
        }
        let hasMarkBit = json["markMasqBit"].map { !$0.isNull } ?? false
        let markChain = try json.word("externalSetMarkChain")
        guard !hasMarkBit || markChain.isEmpty else {
            throw CNIError("Cannot specify externalSetMarkChain and markMasqBit")
        }
        markBit = hasMarkBit ? try json.number("markMasqBit") : 13
        guard (0...31).contains(markBit) else { throw CNIError("MasqMarkBit must be between 0 and 31") }
        masquerades = try json.flag("snat", default: true)
        masqueradesAll = try json.flag("masqAll")
        var conditions: [IPFamily: [PortCondition]] = [:]
        for family in IPFamily.allCases {
            let key = "conditionsV\(family.rawValue)"
            let words = try json.strings(key)
            guard let list = PortCondition.list(words, family) else {
                throw CNIError(.unsupportedField, "unsupported field \"\(key)\": \((json[key] ?? .null).text())")
            }
            conditions[family] = list
        }
        self.conditions = conditions
        var mappings: [PortMapping] = []
        for entry in try configuration.runtime?.list("portMappings") ?? [] {
            mappings.append(try PortMapping(json: entry))
        }
        self.mappings = mappings
    }

    /// The table of a family for the conditions and the mark bit.
    func table(_ family: IPFamily) -> PortMapTable {
        PortMapTable(family: family, markBit: markBit, conditions: conditions[family] ?? [])
    }

    /// The sources whose connections to a pod are masqueraded: the pod's subnet and the host itself, or all, or none.
    func sources(of pod: InterfaceAddress) -> [IPPrefix] {
        guard masquerades else { return [] }
        let family = pod.address.family
        if masqueradesAll { return [IPPrefix(.unspecified(family), length: 0)] }
        let loopback = IPPrefix(.loopback(family), length: family.bitWidth)
        return family == .ipv4 ? [pod.prefix, loopback] : [pod.prefix]
    }

    /// The first address of each family that the interface of a request has in a result.
    static func podAddresses(_ request: CNIRequest, _ result: CNIResult) -> [InterfaceAddress] {
        IPFamily.allCases.compactMap { family in
            result.addresses.first { entry in
                guard entry.address.address.family == family else { return false }
                guard let index = entry.interface, result.interfaces.indices.contains(index) else { return true }
                let interface = result.interfaces[index]
                return interface.name == request.interfaceName && !(interface.sandbox ?? "").isEmpty
            }?.address
        }
    }
}
