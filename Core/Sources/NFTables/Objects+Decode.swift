internal import CLinux
internal import Netlink

extension NetlinkReply {
    /// The attributes behind `struct nfgenmsg`.
    var netfilterAttributes: NetlinkAttributes {
        attributes(after: NFTablesSocket.headerSize)
    }

    /// The table of the message's family that an attribute names.
    func table<Code: RawRepresentable<UInt32>>(_ code: Code) -> Table? {
        netfilterAttributes.text(code).map {
            Table(family: Table.Family(rawValue: payload.integer(at: 0)), name: $0)
        }
    }
}

extension Table {
    init?(_ reply: NetlinkReply) {
        guard let table = reply.table(NFTA_TABLE_NAME) else { return nil }
        self = table
    }
}

extension Chain {
    init?(_ reply: NetlinkReply) {
        let attributes = reply.netfilterAttributes
        guard let table = reply.table(NFTA_CHAIN_TABLE), let name = attributes.text(NFTA_CHAIN_NAME) else { return nil }
        self.init(table: table, name: name, base: Self.base(attributes))
    }

    private static func base(_ attributes: NetlinkAttributes) -> Base? {
        guard let hook = attributes[NFTA_CHAIN_HOOK]?.attributes,
            let kind = attributes.text(NFTA_CHAIN_TYPE).flatMap(Kind.init(rawValue:)),
            let number = hook.number(NFTA_HOOK_HOOKNUM).flatMap(Hook.init(rawValue:)),
            let priority = hook.number(NFTA_HOOK_PRIORITY)
        else { return nil }
        return Base(
            kind, number, priority: Int32(bitPattern: priority),
            dropsByDefault: attributes.number(NFTA_CHAIN_POLICY) == UInt32(NF_DROP))
    }
}

extension RuleEntry {
    init?(_ reply: NetlinkReply) {
        let attributes = reply.netfilterAttributes
        guard let table = reply.table(NFTA_RULE_TABLE), let chain = attributes.text(NFTA_RULE_CHAIN),
            let handle = attributes[NFTA_RULE_HANDLE]
        else { return nil }
        self.init(
            table: table, chain: chain, handle: handle.bigEndian(),
            comment: (attributes[NFTA_RULE_USERDATA]?.payload).flatMap(UserData.comment),
            owner: (attributes[NFTA_RULE_USERDATA]?.payload).flatMap { UserData.text($0, of: UserData.owner) },
            content: Array(attributes[NFTA_RULE_EXPRESSIONS]?.payload ?? []))
    }
}

extension NamedSet {
    init?(_ reply: NetlinkReply) {
        let attributes = reply.netfilterAttributes
        guard let table = reply.table(NFTA_SET_TABLE), let name = attributes.text(NFTA_SET_NAME),
            let key = attributes.number(NFTA_SET_KEY_TYPE).flatMap(DataType.split)
        else { return nil }
        let bits = attributes.number(NFTA_SET_FLAGS) ?? 0
        var value = Value.none
        if bits & NFT_SET_MAP.rawValue != 0 {
            let type = attributes.number(NFTA_SET_DATA_TYPE) ?? 0
            if type == UInt32(NFT_DATA_VERDICT.rawValue) {
                value = .verdict
            } else if let types = DataType.split(type) {
                value = .data(types)
            } else {
                return nil
            }
        }
        let known: Flags = [.interval, .timeout, .dynamic]
        self.init(
            table: table, name: name, key: key, value: value, flags: Flags(rawValue: bits).intersection(known),
            timeout: attributes[NFTA_SET_TIMEOUT]?.bigEndian(),
            size: attributes[NFTA_SET_DESC]?.attributes.number(NFTA_SET_DESC_SIZE))
    }
}

extension Element {
    /// The elements of one message of a list.
    static func list(_ reply: NetlinkReply) -> [Element]? {
        reply.netfilterAttributes[NFTA_SET_ELEM_LIST_ELEMENTS].map { list in
            list.attributes.compactMap { Element($0.attributes) }
        }
    }

    private init?(_ attributes: NetlinkAttributes) {
        // One walk: there may be very many elements.
        var key: Key?
        var lastKey: Key?
        var value = Value.none
        var flags: UInt32 = 0
        var timeout: UInt64?
        var comment: String?
        for attribute in attributes {
            switch UInt32(attribute.type) {
            case NFTA_SET_ELEM_KEY.rawValue: key = Self.key(attribute)
            case NFTA_SET_ELEM_KEY_END.rawValue: lastKey = Self.key(attribute)
            case NFTA_SET_ELEM_FLAGS.rawValue: flags = attribute.bigEndian()
            case NFTA_SET_ELEM_TIMEOUT.rawValue: timeout = attribute.bigEndian()
            case NFTA_SET_ELEM_USERDATA.rawValue: comment = UserData.comment(attribute.payload)
            case NFTA_SET_ELEM_DATA.rawValue:
                if let verdict = attribute.attributes[NFTA_DATA_VERDICT] {
                    guard let known = Verdict(verdict.attributes) else { return nil }
                    value = .verdict(known)
                } else if let data = Self.key(attribute) {
                    value = .data(data)
                }
            default: break
            }
        }
        guard let key else { return nil }
        self.init(
            key, value, lastKey: lastKey, isRangeEnd: flags & NFT_SET_ELEM_INTERVAL_END.rawValue != 0,
            timeout: timeout, comment: comment)
    }

    private static func key(_ attribute: NetlinkAttribute) -> Key? {
        (attribute.attributes[NFTA_DATA_VALUE]?.payload).map { Key(bytes: Array($0)) }
    }
}
