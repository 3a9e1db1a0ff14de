internal import Addresses
internal import CBPFObjects

// Layouts of the maps (connect_balance.h), from and to what the model calls them.

typealias AddressWords = (UInt32, UInt32, UInt32, UInt32)

extension IPAddress {
    /// The address in network byte order, of IPv4 as an IPv4-mapped one: the programs then need no families.
    var words: AddressWords {
        let bits = IPv6Address(universal: self).rawValue
        func word(_ index: UInt128) -> UInt32 { UInt32(truncatingIfNeeded: bits >> (96 - 32 * index)).bigEndian }
        return (word(0), word(1), word(2), word(3))
    }

    init(words: AddressWords) {
        let bits = [words.0, words.1, words.2, words.3].reduce(UInt128(0)) { $0 << 32 | UInt128(UInt32(bigEndian: $1)) }
        let address = IPv6Address(rawValue: bits)
        self = address.mapped.map { .v4($0) } ?? .v6(address)
    }
}

extension IPv6Address {
    /// The address itself, or the IPv4-mapped form of one of IPv4.
    fileprivate init(universal address: IPAddress) {
        switch address {
        case .v4(let inner): self.init(mapped: inner)
        case .v6(let inner): self = inner
        }
    }
}

extension Frontend {
    /// A node port has the address zero of its family.
    func key(_ family: IPFamily) -> duet_frontend {
        duet_frontend(
            address: (address ?? IPAddress(family: family, bits: 0)).words, port: port.bigEndian,
            transport: transport.rawValue, padding: 0)
    }

    init?(_ key: duet_frontend) {
        guard let transport = TransportProtocol(rawValue: key.transport) else { return nil }
        let address = IPAddress(words: key.address)
        self.init(
            address: address.bits == 0 ? nil : address, transport: transport, port: UInt16(bigEndian: key.port))
    }
}

extension Backend {
    var value: duet_backend { duet_backend(address: address.words, port: port.bigEndian, padding: 0) }

    init(_ value: duet_backend) {
        self.init(address: IPAddress(words: value.address), port: UInt16(bigEndian: value.port))
    }
}

extension Slot {
    func key(_ family: IPFamily) -> duet_slot { duet_slot(anchor: anchor.key(family), number: number) }

    init?(_ key: duet_slot) {
        guard let anchor = Frontend(key.anchor) else { return nil }
        let pool: Pool = key.number < Pool.local.rawValue ? .everywhere : .local
        self.init(anchor, pool, key.number - pool.rawValue)
    }
}

extension FrontendAction {
    var value: duet_balance {
        switch self {
        case .balance(let balance):
            duet_balance(
                action: DUET_BALANCE.rawValue, entry: balance.entry.number, pool: balance.pool.rawValue,
                range: balance.range, sticky_seconds: balance.stickySeconds ?? 0)
        case .refuse: duet_balance(action: DUET_REFUSE.rawValue, entry: 0, pool: 0, range: 0, sticky_seconds: 0)
        case .drop: duet_balance(action: DUET_DROP.rawValue, entry: 0, pool: 0, range: 0, sticky_seconds: 0)
        }
    }

    init?(_ value: duet_balance) {
        switch duet_action(rawValue: value.action) {
        case DUET_REFUSE: self = .refuse
        case DUET_DROP: self = .drop
        default:
            guard let pool = Pool(rawValue: value.pool), let entry = Balance.Entry(number: value.entry) else {
                return nil
            }
            self = .balance(
                Balance(
                    entry, pool, over: value.range,
                    stickySeconds: value.sticky_seconds == 0 ? nil : value.sticky_seconds))
        }
    }
}

extension IPPrefix {
    var key: duet_prefix {
        let offset = 128 - address.family.bitWidth
        return duet_prefix(length: UInt32(offset + length), address: address.words)
    }

    init(_ key: duet_prefix) {
        let address = IPAddress(words: key.address)
        self.init(address, length: Int(key.length) - (128 - address.family.bitWidth))
    }
}
