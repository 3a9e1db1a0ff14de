extension Register: CustomStringConvertible {
    /// The name that nft shows: the registers of 16 bytes are 1 to 4, those of four bytes between them 9 and on.
    public var description: String {
        "reg \(index & 3 == 0 ? index / 4 + 1 : index + 8)"
    }
}

extension Expression: CustomStringConvertible {
    /// One bracketed step, close to what `nft --debug=netlink` shows.
    public var description: String {
        "[ \(text) ]"
    }

    private var text: String {
        switch self {
        case .payload(let header, let offset, let length, let register):
            return "payload load \(length)b @ \(header) header + \(offset) => \(register)"
        case .setPayload(let header, let offset, let length, let register, let checksum, let isInPseudoHeader):
            return "payload write \(register) => \(length)b @ \(header) header + \(offset)"
                + (checksum.map { " checksum \($0)" } ?? "") + (isInPseudoHeader ? " pseudo-header" : "")
        case .meta(let meta, let register): return "meta load \(meta) => \(register)"
        case .setMark(let register): return "meta set mark with \(register)"
        case .connection(let connection, let register): return "ct load \(connection) => \(register)"
        case .setConnectionMark(let register): return "ct set mark with \(register)"
        case .compare(let register, let comparison, let bytes):
            return "cmp \(comparison) \(register) \(Key(bytes: bytes))"
        case .bitwise(let source, let mask, let xor, let register):
            return "bitwise \(register) = ( \(source) & \(Key(bytes: mask)) ) ^ \(Key(bytes: xor))"
        case .immediate(let bytes, let register): return "immediate \(register) \(Key(bytes: bytes))"
        case .verdict(let verdict): return "immediate \(verdict)"
        case .contains(let set, let register, let inverted):
            return "lookup \(register) \(inverted ? "not in" : "in") set \(set)"
        case .lookup(let map, let register, let destination):
            return "lookup \(register) map \(map) => \(destination)"
        case .verdictMap(let map, let register): return "lookup \(register) verdict map \(map)"
        case .fib(let lookup, let register): return "fib \(lookup) => \(register)"
        case .nat(let translation, let family, let address, let port):
            return "nat \(translation) \(family) address \(address)" + (port.map { " port \($0)" } ?? "")
        case .masquerade(let fullyRandom): return "masq" + (fullyRandom ? " fully-random" : "")
        case .redirect(let port): return "redir" + (port.map { " port \($0)" } ?? "")
        case .reject(let rejection): return "reject \(rejection)"
        case .random(let modulus, let offset, let register):
            return "numgen \(register) = random mod \(modulus) offset \(offset)"
        case .counting(let modulus, let offset, let register):
            return "numgen \(register) = inc mod \(modulus) offset \(offset)"
        case .hash(let source, let length, let modulus, let seed, let register):
            return "hash \(register) = jhash(\(source), \(length), \(seed)) mod \(modulus)"
        case .change(let change, let set, let key, let data, let timeout):
            return "dynset \(change) key \(key) set \(set)" + (data.map { " data \($0)" } ?? "")
                + (timeout.map { " timeout \($0)ms" } ?? "")
        case .counter: return "counter"
        case .limit(let rate, let seconds, let burst, let over):
            return "limit \(over ? "over" : "up to") \(rate) per \(seconds)s burst \(burst)"
        case .noTrack: return "notrack"
        case .socketIsWildcard(let register): return "socket load wildcard => \(register)"
        case .match(let name, let revision, let data):
            return "match name \(name) rev \(revision) \(Key(bytes: data))"
        }
    }
}
