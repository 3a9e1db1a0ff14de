internal import Addresses

/// Which addresses of a family stand for endpoints of the other.
///
/// An endpoint keeps its stand-in as long as any Service has it, and gets the same one again most of the time, so that
/// connections that the kernel remembers lead nowhere else.
struct StandIns: Sendable {
    /// How the stand-in of an endpoint is found.
    enum Scheme: Hashable, Sendable {
        /// A free address of an IPv4 range, from a place on that the endpoint's address decides.
        case drawn(from: IPPrefix)
        /// The endpoint's IPv4 address within a prefix.
        case embedded(in: TranslationPrefix)
    }

    /// The stand-in of each endpoint.
    private var standIns: [IPAddress: IPAddress] = [:]
    /// The endpoint of each stand-in.
    private(set) var endpoints: [IPAddress: IPAddress] = [:]
    /// How many Services have an endpoint.
    private var uses: [IPAddress: Int] = [:]
    private var held: [ServiceName: Set<IPAddress>] = [:]
    /// Endpoints that may be in no use any more.
    private var idle: Set<IPAddress> = []
    /// The stand-ins that have changed since they were settled.
    private var changed: Set<IPAddress> = []
    /// The endpoint of each stand-in when they were settled last.
    private(set) var settled: [IPAddress: IPAddress] = [:]

    /// Begins with the pairs that were found in the kernel, by stand-in; those that nobody claims go at the first settling.
    init(adopting pairs: [IPAddress: IPAddress] = [:]) {
        for (standIn, endpoint) in pairs where standIns[endpoint] == nil { note(standIn, for: endpoint) }
    }

    /// The stand-in of an endpoint; nil when the range is full, or the endpoint is not of the other family.
    mutating func standIn(for endpoint: IPAddress, by scheme: Scheme) -> IPAddress? {
        switch (scheme, endpoint) {
        case (.embedded(let prefix), .v4(let inner)):
            let standIn = IPAddress.v6(prefix.embedding(inner))
            note(standIn, for: endpoint)
            return standIn
        case (.drawn(let range), .v6):
            if let known = standIns[endpoint], range.contains(known) { return known }
            guard let standIn = draw(for: endpoint, from: range) else { return nil }
            note(standIn, for: endpoint)
            return standIn
        default: return nil
        }
    }

    /// The stand-in that an endpoint has; nil when it has none.
    func standIn(of endpoint: IPAddress) -> IPAddress? { standIns[endpoint] }

    private mutating func note(_ standIn: IPAddress, for endpoint: IPAddress) {
        if let old = standIns.updateValue(standIn, forKey: endpoint), old != standIn {
            endpoints[old] = nil
            changed.insert(old)
        }
        if endpoints.updateValue(endpoint, forKey: standIn) != endpoint { changed.insert(standIn) }
        idle.insert(endpoint)
    }

    private func draw(for endpoint: IPAddress, from range: IPPrefix) -> IPAddress? {
        // Neither the translator's own addresses nor the last one, which the kernel takes for broadcasts.
        let places = (UInt128(1) << UInt128(range.hostBits)) - TranslationAddresses.firstStandIn - 1
        let start = UInt128(Self.hash(endpoint)) % places
        for step in 0..<places {
            let place = TranslationAddresses.firstStandIn + (start + step) % places
            let address = IPAddress(family: range.family, bits: range.address.bits + place)
            if endpoints[address] == nil { return address }
        }
        return nil
    }

    /// FNV-1a, which is the same in every process.
    private static func hash(_ address: IPAddress) -> UInt64 {
        address.bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    /// Takes the endpoints that a Service has now.
    mutating func hold(_ endpoints: Set<IPAddress>, for service: ServiceName) {
        let old = held[service] ?? []
        held[service] = endpoints.isEmpty ? nil : endpoints
        for endpoint in endpoints.subtracting(old) { uses[endpoint, default: 0] += 1 }
        for endpoint in old.subtracting(endpoints) {
            let count = (uses[endpoint] ?? 1) - 1
            uses[endpoint] = count == 0 ? nil : count
            if count == 0 { idle.insert(endpoint) }
        }
    }

    /// Gives back what nobody uses, and says of each stand-in that has changed whom it stood for, and stands for.
    mutating func settle() -> [(standIn: IPAddress, old: IPAddress?, new: IPAddress?)] {
        for endpoint in idle where uses[endpoint] == nil {
            guard let standIn = standIns.removeValue(forKey: endpoint) else { continue }
            endpoints[standIn] = nil
            changed.insert(standIn)
        }
        idle = []
        let changes = changed.map { (standIn: $0, old: settled[$0], new: endpoints[$0]) }
        for change in changes { settled[change.standIn] = change.new }
        changed = []
        return changes
    }
}
