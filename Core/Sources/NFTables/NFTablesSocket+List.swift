internal import CLinux
internal import Linux
internal import Netlink

extension NFTablesSocket {
    /// All tables.
    public mutating func tables() throws(NFTablesError) -> [Table] {
        try list(NFT_MSG_GETTABLE, family: 0, "list tables", { _ in }) { Table($0) }
    }

    /// The chains of a table.
    public mutating func chains(of table: Table) throws(NFTablesError) -> [Chain] {
        // The kernel lists the chains of all tables of the family.
        try list(NFT_MSG_GETCHAIN, table, "list chains of \(table)", { _ in }) { reply in
            Chain(reply).flatMap { $0.table == table ? $0 : nil }
        }
    }

    /// The rules of a table, or of one of its chains, in order.
    public mutating func rules(of table: Table, chain: String? = nil) throws(NFTablesError) -> [RuleEntry] {
        try list(NFT_MSG_GETRULE, table, "list rules of \(table)") { payload in
            payload.put(NFTA_RULE_TABLE, table.name)
            if let chain { payload.put(NFTA_RULE_CHAIN, chain) }
        } _: { reply in
            RuleEntry(reply)
        }
    }

    /// The named sets and maps of a table; those whose fields have a type that is unknown here are left out.
    public mutating func sets(of table: Table) throws(NFTablesError) -> [NamedSet] {
        try list(NFT_MSG_GETSET, table, "list sets of \(table)") { payload in
            payload.put(NFTA_SET_TABLE, table.name)
        } _: { reply in
            NamedSet(reply)
        }
    }

    /// The elements of a set.
    ///
    /// The kernel resizes its hash tables behind the back of a list that takes several calls: elements that moved
    /// behind the reader are missing then, and as many others come twice. Such a list is read again.
    public mutating func elements(of table: Table, set: String) throws(NFTablesError) -> [Element] {
        for _ in 0..<20 {
            let elements = try elementsOnce(of: table, set: set)
            if Set(elements).count == elements.count { return elements }
        }
        throw NFTablesError(
            .busy, "list elements of \(table) \(set)", message: "the set kept changing while it was read")
    }

    private mutating func elementsOnce(of table: Table, set: String) throws(NFTablesError) -> [Element] {
        let lists = try list(NFT_MSG_GETSETELEM, table, "list elements of \(table) \(set)") { payload in
            payload.put(NFTA_SET_ELEM_LIST_TABLE, table.name)
            payload.put(NFTA_SET_ELEM_LIST_SET, set)
        } _: { reply in
            Element.list(reply)
        }
        return lists.flatMap { $0 }
    }

    // What does not exist has an empty list.
    private mutating func list<Item>(
        _ message: nf_tables_msg_types, _ table: Table, _ operation: String,
        _ filter: (inout NetlinkWriter) -> Void, _ transform: (NetlinkReply) -> Item?
    ) throws(NFTablesError) -> [Item] {
        try list(message, family: table.family.rawValue, operation, filter, transform)
    }

    private mutating func list<Item>(
        _ message: nf_tables_msg_types, family: UInt8, _ operation: String,
        _ filter: (inout NetlinkWriter) -> Void, _ transform: (NetlinkReply) -> Item?
    ) throws(NFTablesError) -> [Item] {
        do throws(NetlinkError) {
            return try netlink.dump(Self.request(message, family: family, filter), operation, transform)
        } catch {
            if error.errno == .noEntry { return [] }
            throw NFTablesError(error)
        }
    }
}
