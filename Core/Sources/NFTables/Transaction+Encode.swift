internal import CLinux
internal import Netlink

/// The messages of a transaction, and which operation each belongs to.
struct EncodedBatch {
    /// All messages with their headers, the batch's beginning and end included.
    var bytes: [UInt8] = []
    /// The operation of each message after the first.
    var operationIndices: [Int] = []
    let firstSequence: UInt32

    /// A nested attribute counts its length in 16 bits; more elements go into a further message of the batch.
    static let elementListLimit = 60_000

    /// Encodes a transaction.
    ///
    /// - Parameter generation: refuse the batch when the rule set is not of this generation any more.
    init(_ transaction: Transaction, firstSequence: UInt32, generation: UInt32?) {
        self.firstSequence = firstSequence
        var begin = Self.header(family: 0, resource: UInt16(NFNL_SUBSYS_NFTABLES))
        if let generation { begin.put(NFNL_BATCH_GENID, generation) }
        append(type: UInt16(NFNL_MSG_BATCH_BEGIN), flags: [], begin)
        for (index, operation) in transaction.operations.enumerated() {
            for request in operation.requests() {
                operationIndices.append(index)
                append(type: request.type, flags: request.flags, request.payload)
            }
        }
        append(
            type: UInt16(NFNL_MSG_BATCH_END), flags: [],
            Self.header(family: 0, resource: UInt16(NFNL_SUBSYS_NFTABLES)))
    }

    private var sent: UInt32 = 0

    private mutating func append(type: UInt16, flags: NetlinkFlags, _ payload: NetlinkWriter) {
        NetlinkRequest(type: type, flags: flags, payload: payload).encode(
            to: &bytes, sequence: firstSequence &+ sent)
        sent += 1
    }

    /// The number of sequence numbers that a transaction needs at most.
    var messageCount: Int {
        Int(sent)
    }

    /// `struct nfgenmsg` of linux/netfilter/nfnetlink.h.
    static func header(family: UInt8, resource: UInt16 = 0) -> NetlinkWriter {
        var writer = NetlinkWriter()
        writer.append(family)
        writer.append(UInt8(NFNETLINK_V0))
        writer.append(resource.bigEndian)
        return writer
    }

    static func type(_ message: nf_tables_msg_types) -> UInt16 {
        UInt16(NFNL_SUBSYS_NFTABLES) << 8 | UInt16(message.rawValue)
    }
}

extension Transaction.Operation {
    /// The messages that make the change.
    func requests() -> [NetlinkRequest] {
        switch self {
        case .addTable(let table):
            return [Self.request(NFT_MSG_NEWTABLE, table, [.create]) { $0.put(NFTA_TABLE_NAME, table.name) }]
        case .deleteTable(let table):
            return [Self.request(NFT_MSG_DELTABLE, table) { $0.put(NFTA_TABLE_NAME, table.name) }]
        case .addChain(let chain):
            return [Self.request(NFT_MSG_NEWCHAIN, chain.table, [.create]) { chain.encode(to: &$0) }]
        case .deleteChain(let table, let name):
            return [
                Self.request(NFT_MSG_DELCHAIN, table) {
                    $0.put(NFTA_CHAIN_TABLE, table.name)
                    $0.put(NFTA_CHAIN_NAME, name)
                }
            ]
        case .flushChain(let table, let name):
            return [Self.ruleRequest(NFT_MSG_DELRULE, table, name)]
        case .addRule(let rule):
            return [
                Self.ruleRequest(NFT_MSG_NEWRULE, rule.table, rule.chain, [.create, .append]) { rule.encode(to: &$0) }
            ]
        case .insertRule(let rule):
            return [Self.ruleRequest(NFT_MSG_NEWRULE, rule.table, rule.chain, [.create]) { rule.encode(to: &$0) }]
        case .replaceRule(let rule, let handle):
            return [
                Self.ruleRequest(NFT_MSG_NEWRULE, rule.table, rule.chain, [.replace], handle: handle) {
                    rule.encode(to: &$0)
                }
            ]
        case .deleteRule(let table, let chain, let handle):
            return [Self.ruleRequest(NFT_MSG_DELRULE, table, chain, handle: handle)]
        case .addSet(let set):
            return [Self.request(NFT_MSG_NEWSET, set.table, [.create]) { set.encode(to: &$0) }]
        case .deleteSet(let table, let name):
            return [
                Self.request(NFT_MSG_DELSET, table) {
                    $0.put(NFTA_SET_TABLE, table.name)
                    $0.put(NFTA_SET_NAME, name)
                }
            ]
        case .flushSet(let table, let name):
            return [Self.elementRequest(NFT_MSG_DELSETELEM, table, name, [])]
        case .addElements(let table, let set, let elements):
            return Self.elementRequests(NFT_MSG_NEWSETELEM, table, set, elements, [.create])
        case .deleteElements(let table, let set, let elements):
            return Self.elementRequests(NFT_MSG_DELSETELEM, table, set, elements, [])
        }
    }

    private static func request(
        _ message: nf_tables_msg_types, _ table: Table, _ flags: NetlinkFlags = [],
        _ body: (inout NetlinkWriter) -> Void
    ) -> NetlinkRequest {
        var payload = EncodedBatch.header(family: table.family.rawValue)
        body(&payload)
        return NetlinkRequest(type: EncodedBatch.type(message), flags: flags, payload: payload)
    }

    private static func ruleRequest(
        _ message: nf_tables_msg_types, _ table: Table, _ chain: String, _ flags: NetlinkFlags = [],
        handle: UInt64? = nil, _ body: (inout NetlinkWriter) -> Void = { _ in }
    ) -> NetlinkRequest {
        request(message, table, flags) {
            $0.put(NFTA_RULE_TABLE, table.name)
            $0.put(NFTA_RULE_CHAIN, chain)
            if let handle { $0.put(NFTA_RULE_HANDLE, long: handle) }
            body(&$0)
        }
    }

    private static func elementRequest(
        _ message: nf_tables_msg_types, _ table: Table, _ set: String, _ flags: NetlinkFlags
    ) -> NetlinkRequest {
        request(message, table, flags) {
            $0.put(NFTA_SET_ELEM_LIST_TABLE, table.name)
            $0.put(NFTA_SET_ELEM_LIST_SET, set)
        }
    }

    private static func elementRequests(
        _ message: nf_tables_msg_types, _ table: Table, _ set: String, _ elements: [Element], _ flags: NetlinkFlags
    ) -> [NetlinkRequest] {
        var requests: [NetlinkRequest] = []
        var rest = elements[...]
        while !rest.isEmpty {
            var request = elementRequest(message, table, set, flags)
            let start = request.payload.beginNested(Int(NFTA_SET_ELEM_LIST_ELEMENTS.rawValue))
            while let element = rest.first, request.payload.count - start < EncodedBatch.elementListLimit {
                element.encode(to: &request.payload)
                rest = rest.dropFirst()
            }
            request.payload.endNested(start)
            requests.append(request)
        }
        return requests
    }
}
