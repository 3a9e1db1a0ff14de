import Addresses
import CNI
import NFTables

/// The mappings that the reference plugin made for a container, by either of its ways.
struct ReferencePortMap {
    private let containerID: String
    private let chain: String

    /// Names what belongs to the container of a request.
    init(_ request: CNIRequest) {
        containerID = request.containerID
        chain = "CNI-DN-" + SHA512.hexadecimal(request.network + request.containerID, count: 21)
    }

    /// Whether there are any in a family.
    func isPresent(_ family: IPFamily, _ socket: inout NFTablesSocket) throws -> Bool {
        let table = Table(family: Table.Family(family), name: "nat")
        return try socket.chains(of: table).contains { $0.name == chain } || !rules(family, &socket).isEmpty
    }

    /// Removes them; none is no error.
    func remove() throws {
        for family in IPFamily.allCases {
            try NFTablesSocket.update { socket throws(NFTablesError) in
                Transaction(
                    try rules(family, &socket).map { .deleteRule($0.table, chain: $0.chain, handle: $0.handle) })
            }
        }
        try IPTablesChain(name: chain, parent: "CNI-HOSTPORT-DNAT").remove()
    }

    /// The rules of its nftables way, which carry the container's identifier.
    private func rules(_ family: IPFamily, _ socket: inout NFTablesSocket) throws(NFTablesError) -> [RuleEntry] {
        let table = Table(family: Table.Family(family), name: "cni_hostport")
        return try socket.rules(of: table).filter { $0.comment == containerID }
    }
}
