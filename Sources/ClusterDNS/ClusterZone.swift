package import Addresses
package import DNSMessage

/// The names of the cluster, and how they are answered: an immutable value to those who answer, changed by the
/// contributions of one Service at a time.
///
/// It follows the DNS-based service discovery schema 1.1.0. Names between an existing name and the domain exist without
/// records (RFC 8020).
package struct ClusterZone: Sendable {
    /// A name: its records, and how many names exist directly below it.
    struct Node: Sendable {
        var records: [DNSRecordData] = []
        var children = 0
    }

    /// The cluster domain.
    package let domain: DNSName
    /// How long records may be kept, in seconds.
    package let ttl: UInt32
    /// Whether the initial content is complete; before, nothing can be denied.
    package var isComplete = false
    /// The version of the zone: the time of its last change in seconds.
    package var serial: UInt32 = 0
    /// The name of the server within the zone.
    package let serverName: DNSName
    private let mailbox: DNSName
    private var names = ShardedTable<DNSName, Node>()
    private var pointers = ShardedTable<IPAddress, [DNSName]>()

    /// How long the version record may be kept, in seconds.
    static let versionTTL: UInt32 = 28800

    /// Makes a zone without Services; nil if the domain leaves no room for names.
    package init?(domain: DNSName, ttl: UInt32) {
        guard let version = domain.prepending("dns-version"), let services = domain.prepending("svc"),
            let pods = domain.prepending("pod"), let mailbox = domain.prepending("hostmaster"),
            let server = domain.prepending("dns")?.prepending("ns")
        else { return nil }
        self.domain = domain
        self.ttl = ttl
        self.mailbox = mailbox
        serverName = server
        names[domain] = Node(records: [.ns(server)], children: 0)
        for name in [services, pods, server] { insert([], at: name) }
        insert([.txt([Array("1.1.0".utf8)])], at: version)
    }

    /// The start of authority: at the apex, and in every negative answer.
    package var authority: DNSRecordData {
        .soa(
            StartOfAuthority(
                primary: serverName, mailbox: mailbox, serial: serial, refresh: 7200, retry: 1800, expire: 86400,
                minimum: ttl))
    }

    /// The records of a name in the zone; nil if the name does not exist.
    package func records(of name: DNSName) -> [DNSRecordData]? { names[name]?.records }

    /// The names that a PTR question for an address leads to.
    package func names(of address: IPAddress) -> [DNSName] { pointers[address] ?? [] }

    /// Puts the new contribution of a Service in the place of its old one.
    package mutating func replace(_ old: ServiceRecords, with new: ServiceRecords) {
        // New names come first, so that names which stay are not removed and made again.
        for (name, records) in new.names where old.names[name] != records { insert(records, at: name) }
        for name in old.names.keys where new.names[name] == nil { remove(name) }
        for pointer in old.pointers.subtracting(new.pointers) {
            pointers[pointer.address]?.removeAll { $0 == pointer.name }
            if pointers[pointer.address]?.isEmpty == true { pointers[pointer.address] = nil }
        }
        for pointer in new.pointers.subtracting(old.pointers) {
            pointers[pointer.address, default: []].append(pointer.name)
            pointers[pointer.address]?.sort { $0.wire.lexicographicallyPrecedes($1.wire) }
        }
    }

    /// Gives a name new records, and makes the names above it exist.
    private mutating func insert(_ records: [DNSRecordData], at name: DNSName) {
        if names[name] == nil, let parent = name.parent {
            if names[parent] == nil { insert([], at: parent) }
            names[parent]?.children += 1
        }
        names[name, default: Node()].records = records
    }

    /// Takes the records of a name away, and the names above it that thereby have no reason to exist.
    private mutating func remove(_ name: DNSName) {
        guard let node = names[name], name != domain else { return }
        guard node.children == 0, !isPermanent(name) else {
            names[name]?.records = []
            return
        }
        names[name] = nil
        guard let parent = name.parent else { return }
        names[parent]?.children -= 1
        if let node = names[parent], node.children == 0, node.records.isEmpty { remove(parent) }
    }

    /// Whether a name exists without any Service: those directly below the domain, and the server's.
    private func isPermanent(_ name: DNSName) -> Bool { name == serverName || name.parent == domain }
}
