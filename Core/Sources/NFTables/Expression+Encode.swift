internal import Addresses
internal import CLinux
internal import Netlink

extension Expression {
    /// The name that the kernel knows the expression by.
    var name: String {
        switch self {
        case .payload, .setPayload: "payload"
        case .meta, .setMark: "meta"
        case .connection, .setConnectionMark: "ct"
        case .compare: "cmp"
        case .bitwise: "bitwise"
        case .immediate, .verdict: "immediate"
        case .contains, .lookup, .verdictMap: "lookup"
        case .fib: "fib"
        case .nat: "nat"
        case .masquerade: "masq"
        case .redirect: "redir"
        case .reject: "reject"
        case .random, .counting: "numgen"
        case .hash: "hash"
        case .change: "dynset"
        case .counter: "counter"
        case .limit: "limit"
        case .noTrack: "notrack"
        case .socketIsWildcard: "socket"
        case .match: "match"
        }
    }

    /// Appends the list element that holds the expression.
    func encode(to writer: inout NetlinkWriter) {
        writer.put(NFTA_LIST_ELEM) { element in
            element.put(NFTA_EXPR_NAME, name)
            element.put(NFTA_EXPR_DATA) { data in encodeData(to: &data) }
        }
    }

    private func encodeData(to data: inout NetlinkWriter) {
        switch self {
        case .payload, .setPayload, .meta, .setMark, .connection, .setConnectionMark, .fib, .random, .counting, .hash,
            .socketIsWildcard:
            encodeLoad(to: &data)
        case .compare, .bitwise, .immediate, .verdict, .contains, .lookup, .verdictMap, .limit, .counter:
            encodeMatch(to: &data)
        case .nat, .masquerade, .redirect, .reject, .change, .noTrack, .match:
            encodeStatement(to: &data)
        }
    }

    private func encodeLoad(to data: inout NetlinkWriter) {
        switch self {
        case .payload(let header, let offset, let length, let register):
            data.put(NFTA_PAYLOAD_DREG, register)
            data.put(NFTA_PAYLOAD_BASE, header.rawValue)
            data.put(NFTA_PAYLOAD_OFFSET, offset)
            data.put(NFTA_PAYLOAD_LEN, length)
        case .setPayload(let header, let offset, let length, let register, let checksum, let isInPseudoHeader):
            data.put(NFTA_PAYLOAD_SREG, register)
            data.put(NFTA_PAYLOAD_BASE, header.rawValue)
            data.put(NFTA_PAYLOAD_OFFSET, offset)
            data.put(NFTA_PAYLOAD_LEN, length)
            data.put(NFTA_PAYLOAD_CSUM_TYPE, (checksum == nil ? NFT_PAYLOAD_CSUM_NONE : NFT_PAYLOAD_CSUM_INET).rawValue)
            data.put(NFTA_PAYLOAD_CSUM_OFFSET, checksum ?? 0)
            data.put(NFTA_PAYLOAD_CSUM_FLAGS, isInPseudoHeader ? NFT_PAYLOAD_L4CSUM_PSEUDOHDR.rawValue : 0)
        case .meta(let meta, let register):
            data.put(NFTA_META_KEY, meta.code)
            data.put(NFTA_META_DREG, register)
        case .setMark(let register):
            data.put(NFTA_META_KEY, NFT_META_MARK.rawValue)
            data.put(NFTA_META_SREG, register)
        case .connection(let connection, let register):
            data.put(NFTA_CT_KEY, connection.code)
            data.put(NFTA_CT_DREG, register)
            if let direction = connection.ofDirection { data.put(NFTA_CT_DIRECTION, byte: direction.rawValue) }
        case .setConnectionMark(let register):
            data.put(NFTA_CT_KEY, NFT_CT_MARK.rawValue)
            data.put(NFTA_CT_SREG, register)
        case .fib(let lookup, let register):
            data.put(NFTA_FIB_DREG, register)
            data.put(NFTA_FIB_RESULT, lookup.result)
            data.put(NFTA_FIB_FLAGS, lookup.flags)
        case .random(let modulus, let offset, let register):
            Self.encodeNumber(NFT_NG_RANDOM.rawValue, modulus, offset, register, to: &data)
        case .counting(let modulus, let offset, let register):
            Self.encodeNumber(NFT_NG_INCREMENTAL.rawValue, modulus, offset, register, to: &data)
        case .hash(let source, let length, let modulus, let seed, let register):
            data.put(NFTA_HASH_SREG, source)
            data.put(NFTA_HASH_DREG, register)
            data.put(NFTA_HASH_LEN, length)
            data.put(NFTA_HASH_MODULUS, modulus)
            data.put(NFTA_HASH_SEED, seed)
            data.put(NFTA_HASH_TYPE, NFT_HASH_JENKINS.rawValue)
        case .socketIsWildcard(let register):
            data.put(NFTA_SOCKET_KEY, NFT_SOCKET_WILDCARD.rawValue)
            data.put(NFTA_SOCKET_DREG, register)
        default: break
        }
    }

    private static func encodeNumber(
        _ kind: UInt32, _ modulus: UInt32, _ offset: UInt32, _ register: Register, to data: inout NetlinkWriter
    ) {
        data.put(NFTA_NG_DREG, register)
        data.put(NFTA_NG_MODULUS, modulus)
        data.put(NFTA_NG_TYPE, kind)
        data.put(NFTA_NG_OFFSET, offset)
    }

    private func encodeMatch(to data: inout NetlinkWriter) {
        switch self {
        case .compare(let register, let comparison, let bytes):
            data.put(NFTA_CMP_SREG, register)
            data.put(NFTA_CMP_OP, comparison.rawValue)
            data.put(NFTA_CMP_DATA) { $0.put(NFTA_DATA_VALUE, bytes: bytes) }
        case .bitwise(let source, let mask, let xor, let register):
            data.put(NFTA_BITWISE_SREG, source)
            data.put(NFTA_BITWISE_DREG, register)
            data.put(NFTA_BITWISE_LEN, UInt32(mask.count))
            data.put(NFTA_BITWISE_MASK) { $0.put(NFTA_DATA_VALUE, bytes: mask) }
            data.put(NFTA_BITWISE_XOR) { $0.put(NFTA_DATA_VALUE, bytes: xor) }
        case .immediate(let bytes, let register):
            data.put(NFTA_IMMEDIATE_DREG, register)
            data.put(NFTA_IMMEDIATE_DATA) { $0.put(NFTA_DATA_VALUE, bytes: bytes) }
        case .verdict(let verdict):
            data.put(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT.rawValue)
            data.put(NFTA_IMMEDIATE_DATA) { verdict.encode(to: &$0) }
        case .contains(let set, let register, let inverted):
            data.put(NFTA_LOOKUP_SET, set)
            data.put(NFTA_LOOKUP_SREG, register)
            if inverted { data.put(NFTA_LOOKUP_FLAGS, UInt32(NFT_LOOKUP_F_INV.rawValue)) }
        case .lookup(let map, let register, let destination):
            data.put(NFTA_LOOKUP_SET, map)
            data.put(NFTA_LOOKUP_SREG, register)
            data.put(NFTA_LOOKUP_DREG, destination)
        case .verdictMap(let map, let register):
            data.put(NFTA_LOOKUP_SET, map)
            data.put(NFTA_LOOKUP_SREG, register)
            data.put(NFTA_LOOKUP_DREG, NFT_REG_VERDICT.rawValue)
        case .limit(let rate, let seconds, let burst, let over):
            data.put(NFTA_LIMIT_RATE, long: rate)
            data.put(NFTA_LIMIT_UNIT, long: seconds)
            data.put(NFTA_LIMIT_BURST, burst)
            data.put(NFTA_LIMIT_TYPE, NFT_LIMIT_PKTS.rawValue)
            data.put(NFTA_LIMIT_FLAGS, over ? NFT_LIMIT_F_INV.rawValue : 0)
        case .counter:
            data.put(NFTA_COUNTER_BYTES, long: 0)
            data.put(NFTA_COUNTER_PACKETS, long: 0)
        default: break
        }
    }

    private func encodeStatement(to data: inout NetlinkWriter) {
        switch self {
        case .nat(let translation, let family, let address, let port):
            data.put(NFTA_NAT_TYPE, translation.rawValue)
            data.put(NFTA_NAT_FAMILY, UInt32(Table.Family(family).rawValue))
            data.put(NFTA_NAT_REG_ADDR_MIN, address)
            if let port { data.put(NFTA_NAT_REG_PROTO_MIN, port) }
        case .masquerade(let fullyRandom):
            if fullyRandom { data.put(NFTA_MASQ_FLAGS, UInt32(NF_NAT_RANGE_PROTO_RANDOM_FULLY)) }
        case .redirect(let port):
            if let port { data.put(NFTA_REDIR_REG_PROTO_MIN, port) }
        case .reject(let rejection):
            data.put(NFTA_REJECT_TYPE, rejection.type)
            data.put(NFTA_REJECT_ICMP_CODE, byte: rejection.code)
        case .change(let change, let set, let key, let value, let timeout):
            data.put(NFTA_DYNSET_SET_NAME, set)
            data.put(NFTA_DYNSET_OP, change.rawValue)
            data.put(NFTA_DYNSET_SREG_KEY, key)
            if let value { data.put(NFTA_DYNSET_SREG_DATA, value) }
            if let timeout { data.put(NFTA_DYNSET_TIMEOUT, long: timeout) }
        case .match(let name, let revision, let bytes):
            data.put(NFTA_MATCH_NAME, name)
            data.put(NFTA_MATCH_REV, revision)
            data.put(NFTA_MATCH_INFO, bytes: bytes)
        default: break
        }
    }
}

extension NetlinkWriter {
    mutating func put<Code: RawRepresentable<UInt32>>(_ code: Code, _ register: Register) {
        put(code, register.number)
    }
}

extension Expression.Meta {
    var code: UInt32 {
        switch self {
        case .networkProtocol: NFT_META_NFPROTO.rawValue
        case .transportProtocol: NFT_META_L4PROTO.rawValue
        case .mark: NFT_META_MARK.rawValue
        case .inputInterface: NFT_META_IIF.rawValue
        case .outputInterface: NFT_META_OIF.rawValue
        case .inputInterfaceName: NFT_META_IIFNAME.rawValue
        case .outputInterfaceName: NFT_META_OIFNAME.rawValue
        }
    }
}

extension Expression.Connection {
    var code: UInt32 {
        switch self {
        case .state: NFT_CT_STATE.rawValue
        case .mark: NFT_CT_MARK.rawValue
        case .direction: NFT_CT_DIRECTION.rawValue
        case .status: NFT_CT_STATUS.rawValue
        case .source(_, let family): (family == .ipv4 ? NFT_CT_SRC_IP : NFT_CT_SRC_IP6).rawValue
        case .destination(_, let family): (family == .ipv4 ? NFT_CT_DST_IP : NFT_CT_DST_IP6).rawValue
        case .sourcePort: NFT_CT_PROTO_SRC.rawValue
        case .destinationPort: NFT_CT_PROTO_DST.rawValue
        }
    }

    var ofDirection: Expression.Direction? {
        switch self {
        case .source(let direction, _), .destination(let direction, _): direction
        case .sourcePort(let direction), .destinationPort(let direction): direction
        case .state, .mark, .direction, .status: nil
        }
    }
}

extension Expression.RouteLookup {
    var result: UInt32 {
        switch self {
        case .destinationKind, .sourceKind: NFT_FIB_RESULT_ADDRTYPE.rawValue
        case .reversePath: NFT_FIB_RESULT_OIF.rawValue
        }
    }

    var flags: UInt32 {
        switch self {
        case .destinationKind: NFTA_FIB_F_DADDR.rawValue
        case .sourceKind: NFTA_FIB_F_SADDR.rawValue
        case .reversePath: NFTA_FIB_F_SADDR.rawValue | NFTA_FIB_F_IIF.rawValue
        }
    }
}

extension Expression.Rejection {
    var type: UInt32 {
        switch self {
        case .tcpReset: NFT_REJECT_TCP_RST.rawValue
        case .icmp: NFT_REJECT_ICMP_UNREACH.rawValue
        case .icmpAny: NFT_REJECT_ICMPX_UNREACH.rawValue
        }
    }

    var code: UInt8 {
        switch self {
        case .tcpReset: 0
        case .icmp(let code): code
        case .icmpAny(let code): code.rawValue
        }
    }
}
