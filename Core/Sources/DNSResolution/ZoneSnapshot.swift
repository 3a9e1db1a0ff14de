public import Addresses
public import DNSMessage
import Wire

/// What a server answers from: an immutable value to those who answer, changed by the contributions of one object at a
/// time by the one who keeps it.
///
/// It follows the DNS-based service discovery schema 1.1.0. Names between an existing name and the domain exist without
/// records (RFC 8020). A change costs the records that change.
public struct ZoneSnapshot: Sendable {
    /// A name that exists, and how many names exist directly below it.
    struct Name: TableElement {
        var records: NameRecords
        /// The hash of the name; here too, so that a search looks at no other name's records.
        let hash: UInt64
        var children: Int32
        /// Whether the name exists even without records and names below it.
        var isKept: Bool
    }

    /// That an address leads back to a name or one below it, by the hashes of both: the name's records say the rest.
    struct Pointer: TableElement {
        let hash: UInt64
        let owner: UInt64
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
    /// The names that follow from addresses.
    private var endpointCount = 0

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
    public var nameCount: Int { names.count + endpointCount }

    /// The records of a name given in lower case and wire form; nil if it does not exist.
    @inline(__always)
    func records(of folded: RawSpan, hash: UInt64) -> NameRecords? {
        names.first(hash) { $0.records.isNamed(folded) }?.records
    }

    /// The address after which an endpoint's name is made that is given in lower case and wire form; nil for all other
    /// names.
    @inline(__always)
    func endpoint(named folded: RawSpan, scratch: inout [UInt8]) -> IPAddress? {
        let end = Int(folded[byte: 0]) + 1
        guard end > 1, end <= AddressLabel.maximumSize + 1 else { return nil }
        let service = folded.extracting(end..<folded.byteCount)
        guard let records = records(of: service, hash: NameHash.hash(service)), records.endpointCount > 0 else {
            return nil
        }
        let label = folded.extracting(1..<end)
        guard let address = AddressLabel.address(label, scratch: &scratch), records.hasEndpoint(address),
            AddressLabel.isLabel(label, of: address, scratch: &scratch)
        else { return nil }
        return address
    }

    /// Whether an address leads back to a name.
    func leadsBack(_ address: IPAddress) -> Bool {
        var isFound = false
        forEachName(of: address) { _, _ in isFound = true }
        return isFound
    }

    /// Calls `body` with each name that an address leads back to; or, and then with true, that the name of its endpoint
    /// lies below.
    @inline(__always)
    func forEachName(of address: IPAddress, _ body: (NameRecords, _ isEndpoint: Bool) -> Void) {
        pointers.forEach(NameHash.hash(address.bits)) { pointer in
            names.forEach(pointer.owner) { name in
                if name.records.owns(address) { body(name.records, false) }
                if name.records.hasEndpoint(address) { body(name.records, true) }
            }
        }
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
        let old = names.first(records.hash) { $0.records.isNamed(span) }
        var name = old ?? add(records)
        replacePointers(of: old?.records, by: records)
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
        if releasing { found.isKept = false } else { replacePointers(of: found.records, by: nil) }
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

    /// Lets addresses lead back to the new records of a name instead of its old ones.
    private mutating func replacePointers(of old: NameRecords?, by new: NameRecords?) {
        endpointCount += (new?.endpointCount ?? 0) - (old?.endpointCount ?? 0)
        old?.forEachPointer { address in
            if new?.leadsBack(address) != true { setPointer(address, old?.hash ?? 0, isPresent: false) }
        }
        new?.forEachPointer { address in
            if old?.leadsBack(address) != true { setPointer(address, new?.hash ?? 0, isPresent: true) }
        }
    }

    private mutating func setPointer(_ address: IPAddress, _ owner: UInt64, isPresent: Bool) {
        let hash = NameHash.hash(address.bits)
        pointers.set(isPresent ? Pointer(hash: hash, owner: owner) : nil, hash: hash) { $0.owner == owner }
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
        return Name(records: records, hash: records.hash, children: 0, isKept: false)
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
