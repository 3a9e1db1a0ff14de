public import Addresses
public import DNSMessage

/// What a server answers from: an immutable value to those who answer, changed by the contributions of one object at a
/// time by the one who keeps it.
///
/// It follows the DNS-based service discovery schema 1.1.0. Names between an existing name and the domain exist without
/// records (RFC 8020). A change costs the records that change.
public struct ZoneSnapshot: Sendable {
    /// A name that exists, and how many names exist directly below it.
    struct Name: TableElement {
        var records: NameRecords
        var children: Int32
        /// Whether the name exists even without records and names below it.
        var isKept: Bool
        var hash: UInt64 { records.hash }
    }

    /// An address and the names that it leads back to.
    struct Pointer: TableElement {
        let address: IPAddress
        var names: [NameRecords]
        let hash: UInt64
    }

    /// A client, and what is known about it.
    struct Client: TableElement {
        let address: IPAddress
        let profile: ClientProfile
        let hash: UInt64
    }

    /// The domain and how it is answered for.
    public let settings: ZoneSettings
    /// Whether the initial content is complete; before, nothing can be denied.
    public var isComplete = false
    /// The version of the zone: the time of its last change in seconds.
    public var serial: UInt32 = 0
    /// Clients that no record is kept of are told apart by their prefix.
    public var clientPrefixes = ClientPrefixes()
    var names = PersistentTable<Name>()
    var pointers = PersistentTable<Pointer>()
    var clients = PersistentTable<Client>()

    /// Makes a zone without Services.
    public init(settings: ZoneSettings) {
        self.settings = settings
        let server = settings.serverName
        set(NameRecords(name: settings.domain, others: [.ns(server)], ttl: settings.ttl), isKept: true)
        set(NameRecords(empty: settings.servicesName), isKept: true)
        if settings.pods != .disabled { set(NameRecords(empty: settings.podsName), isKept: true) }
        set(NameRecords(empty: server), isKept: true)
        set(
            NameRecords(name: settings.versionName, others: [.txt([Array("1.1.0".utf8)])], ttl: settings.ttl),
            isKept: true)
    }

    /// The number of names that exist.
    public var nameCount: Int { names.count }

    /// The records of a name given in lower case and wire form; nil if it does not exist.
    @inline(__always)
    func records(of folded: RawSpan, hash: UInt64) -> NameRecords? {
        names.first(hash) { $0.records.isNamed(folded) }?.records
    }

    /// The names that an address leads back to.
    @inline(__always)
    func names(of address: IPAddress) -> [NameRecords]? {
        pointers.first(NameHash.hash(address.bits)) { $0.address == address }?.names
    }

    /// What is known about a client.
    @inline(__always)
    func profile(of address: IPAddress) -> ClientProfile? {
        clients.first(NameHash.hash(address.bits)) { $0.address == address }?.profile
    }
}

extension ZoneSnapshot {
    /// Gives a name records, and makes the names above it exist; a name that is kept stays without them.
    public mutating func set(_ records: NameRecords, isKept: Bool = false) {
        let bytes = records.bytes
        let span = bytes.raw.extracting(0..<records.nameSize)
        var name = names.first(records.hash) { $0.records.isNamed(span) } ?? add(records)
        name.records = records
        name.isKept = name.isKept || isKept
        names.set(name, hash: records.hash) { $0.records.isNamed(span) }
    }

    /// Whether a name exists.
    public func exists(_ name: DNSName) -> Bool {
        let folded = name.wire.map(DNSName.folded)
        return records(of: folded.raw, hash: NameHash.hash(folded.raw)) != nil
    }

    /// Makes a name that exists stay even without records and names below it.
    public mutating func keep(_ name: DNSName) { change(name) { $0.isKept = true } }

    /// What is known about a client.
    public func client(_ address: IPAddress) -> ClientProfile? { profile(of: address) }

    /// Takes the records of a name away, and the names that thereby have no reason to exist; `releasing` also ends that
    /// it exists without them.
    public mutating func remove(_ name: DNSName, releasing: Bool = false) {
        let folded = name.wire.map(DNSName.folded)
        let hash = NameHash.hash(folded.raw)
        guard var found = names.first(hash, where: { $0.records.isNamed(folded.raw) }) else { return }
        if releasing { found.isKept = false }
        guard found.children == 0, !found.isKept else {
            if !releasing { found.records = NameRecords(empty: name) }
            names.set(found, hash: hash) { $0.records.isNamed(folded.raw) }
            return
        }
        names.set(nil, hash: hash) { $0.records.isNamed(folded.raw) }
        guard let parent = name.parent else { return }
        change(parent) { $0.children -= 1 }
        let above = parent.wire.map(DNSName.folded)
        let element = names.first(NameHash.hash(above.raw)) { $0.records.isNamed(above.raw) }
        if let element, element.children == 0, element.records.isEmpty, !element.isKept { remove(parent) }
    }

    /// Adds and removes names that an address leads back to.
    public mutating func setPointer(_ address: IPAddress, to records: NameRecords, isPresent: Bool) {
        let hash = NameHash.hash(address.bits)
        var pointer =
            pointers.first(hash) { $0.address == address } ?? Pointer(address: address, names: [], hash: hash)
        pointer.names.removeAll { $0.nameBytes == records.nameBytes }
        if isPresent {
            pointer.names.append(records)
            pointer.names.sort { $0.nameBytes.lexicographicallyPrecedes($1.nameBytes) }
        }
        pointers.set(pointer.names.isEmpty ? nil : pointer, hash: hash) { $0.address == address }
    }

    /// Notes what is known about a client; nil forgets it.
    public mutating func setClient(_ address: IPAddress, _ profile: ClientProfile?) {
        let hash = NameHash.hash(address.bits)
        clients.set(profile.map { Client(address: address, profile: $0, hash: hash) }, hash: hash) {
            $0.address == address
        }
    }

    /// Adds a name to those above it, which come to exist.
    private mutating func add(_ records: NameRecords) -> Name {
        if records.nameSize > settings.domain.wire.count, let name = DNSName(wire: Array(records.nameBytes)),
            let parent = name.parent
        {
            change(parent) { $0.children += 1 }
        }
        return Name(records: records, children: 0, isKept: false)
    }

    private mutating func change(_ name: DNSName, _ body: (inout Name) -> Void) {
        let folded = name.wire.map(DNSName.folded)
        let hash = NameHash.hash(folded.raw)
        var element =
            names.first(hash) { $0.records.isNamed(folded.raw) } ?? add(NameRecords(empty: name))
        body(&element)
        names.set(element, hash: hash) { $0.records.isNamed(folded.raw) }
    }
}
