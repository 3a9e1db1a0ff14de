internal import CLinux
internal import Netlink

extension Chain {
    func encode(to writer: inout NetlinkWriter) {
        writer.put(NFTA_CHAIN_TABLE, table.name)
        writer.put(NFTA_CHAIN_NAME, name)
        guard let base else { return }
        writer.put(NFTA_CHAIN_HOOK) {
            $0.put(NFTA_HOOK_HOOKNUM, base.hook.rawValue)
            $0.put(NFTA_HOOK_PRIORITY, UInt32(bitPattern: base.priority))
        }
        writer.put(NFTA_CHAIN_POLICY, UInt32(base.dropsByDefault ? NF_DROP : NF_ACCEPT))
        writer.put(NFTA_CHAIN_TYPE, base.kind.rawValue)
    }
}

extension Rule {
    /// Appends what follows the table, the chain and the handle.
    func encode(to writer: inout NetlinkWriter) {
        writer.put(NFTA_RULE_EXPRESSIONS) { list in list.append(bytes: encodedExpressions) }
        let kept = (comment.map(UserData.encode) ?? []) + (owner.map { UserData.encode($0, as: UserData.owner) } ?? [])
        if !kept.isEmpty { writer.put(NFTA_RULE_USERDATA, bytes: kept) }
    }
}

extension Rule {
    /// The list of expressions as it is on the wire.
    var encodedExpressions: [UInt8] {
        var list = NetlinkWriter()
        for expression in expressions { expression.encode(to: &list) }
        return list.bytes
    }
}

/// The bytes that nft keeps with an object: type, length, value (libnftnl udata.h).
enum UserData {
    /// NFTNL_UDATA_RULE_COMMENT, the same as NFTNL_UDATA_SET_ELEM_COMMENT.
    private static let comment: UInt8 = 0
    /// A type of our own; nft and iptables pass over those that they do not know.
    static let owner: UInt8 = 0xD7

    static func encode(comment text: String) -> [UInt8] { encode(text, as: comment) }

    static func encode(_ text: String, as type: UInt8) -> [UInt8] {
        let bytes = text.utf8.prefix(127) + [0]
        return [type, UInt8(bytes.count)] + bytes
    }

    static func comment(_ bytes: ArraySlice<UInt8>) -> String? { text(bytes, of: comment) }

    static func text(_ bytes: ArraySlice<UInt8>, of wanted: UInt8) -> String? {
        var rest = bytes
        while let type = rest.popFirst(), let length = rest.popFirst() {
            if type == wanted { return String(decoding: rest.prefix(Int(length)).prefix { $0 != 0 }, as: UTF8.self) }
            rest = rest.dropFirst(Int(length))
        }
        return nil
    }
}

extension NamedSet {
    func encode(to writer: inout NetlinkWriter) {
        writer.put(NFTA_SET_TABLE, table.name)
        writer.put(NFTA_SET_NAME, name)
        // The kernel wants a number that is unique within the batch; sets are found by name, so any will do.
        writer.put(NFTA_SET_ID, 1)
        var bits = flags.rawValue
        let isConcatenated = key.count > 1
        if isConcatenated && flags.contains(.interval) { bits |= NFT_SET_CONCAT.rawValue }
        if value != .none { bits |= NFT_SET_MAP.rawValue }
        writer.put(NFTA_SET_FLAGS, bits)
        writer.put(NFTA_SET_KEY_TYPE, DataType.concatenated(key))
        writer.put(NFTA_SET_KEY_LEN, UInt32(DataType.length(key)))
        switch value {
        case .none: break
        case .verdict: writer.put(NFTA_SET_DATA_TYPE, UInt32(NFT_DATA_VERDICT.rawValue))
        case .data(let types):
            writer.put(NFTA_SET_DATA_TYPE, DataType.concatenated(types))
            writer.put(NFTA_SET_DATA_LEN, UInt32(DataType.length(types)))
        }
        if let timeout { writer.put(NFTA_SET_TIMEOUT, long: timeout) }
        if size != nil || isConcatenated && flags.contains(.interval) {
            writer.put(NFTA_SET_DESC) { description in
                if let size { description.put(NFTA_SET_DESC_SIZE, size) }
                guard isConcatenated && flags.contains(.interval) else { return }
                description.put(NFTA_SET_DESC_CONCAT) { fields in
                    for field in key {
                        fields.put(NFTA_LIST_ELEM) { $0.put(NFTA_SET_FIELD_LEN, UInt32(field.length)) }
                    }
                }
            }
        }
    }
}

extension Element {
    func encode(to writer: inout NetlinkWriter) {
        writer.put(NFTA_LIST_ELEM) { element in
            element.put(NFTA_SET_ELEM_KEY) { $0.put(NFTA_DATA_VALUE, bytes: key.bytes) }
            if let lastKey { element.put(NFTA_SET_ELEM_KEY_END) { $0.put(NFTA_DATA_VALUE, bytes: lastKey.bytes) } }
            if isRangeEnd { element.put(NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END.rawValue) }
            switch value {
            case .none: break
            case .verdict(let verdict): element.put(NFTA_SET_ELEM_DATA) { verdict.encode(to: &$0) }
            case .data(let data): element.put(NFTA_SET_ELEM_DATA) { $0.put(NFTA_DATA_VALUE, bytes: data.bytes) }
            }
            if let timeout { element.put(NFTA_SET_ELEM_TIMEOUT, long: timeout) }
            if let comment { element.put(NFTA_SET_ELEM_USERDATA, bytes: UserData.encode(comment: comment)) }
        }
    }
}
