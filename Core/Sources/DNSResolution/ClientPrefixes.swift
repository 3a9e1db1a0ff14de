public import Addresses

/// What is known about the clients in a network.
public enum ClientNetwork: Hashable, Sendable {
    /// They are pods of one node, which have these families.
    case pods(Set<IPFamily>)
    /// They may ask; what families they have is not known.
    case others
}

/// Who may ask, and which families clients have that are not known one by one.
///
/// It is a value that is changed by one network at a time, and read elsewhere meanwhile: a change costs the same however
/// many networks there are, and a search one look for each length that they have.
public struct ClientPrefixes: Sendable {
    private struct Network: TableElement {
        let prefix: IPPrefix
        /// nil where nothing is known about the families.
        let profile: ClientProfile?
        let hash: UInt64
    }

    /// How many networks there are of each length, and the lengths that there are, the longest first.
    private struct Lengths {
        private var counts = [Int](repeating: 0, count: 129)
        private(set) var present: [Int] = []

        mutating func change(_ length: Int, by step: Int) {
            let before = counts[length]
            counts[length] += step
            guard (before == 0) != (counts[length] == 0) else { return }
            present = counts.indices.reversed().filter { counts[$0] > 0 }
        }
    }

    private var networks = PersistentTable<Network>()
    private var ipv4 = Lengths()
    private var ipv6 = Lengths()
    /// What is assumed of clients whose families are not known.
    private var usual: ClientProfile

    /// Lets nobody ask but this machine, whose clients have the given families.
    public init(families: Set<IPFamily> = []) {
        usual = ClientProfile(families: families)
    }

    /// The families that clients have unless more is known about them.
    public var families: Set<IPFamily> {
        get { usual.families }
        set { usual = ClientProfile(families: newValue) }
    }

    /// The number of networks.
    public var count: Int { networks.count }

    /// Says who the clients in a network are; nil for strangers, unless a shorter network holds them.
    public mutating func set(_ prefix: IPPrefix, _ network: ClientNetwork?) {
        let hash = ClientPrefixes.hash(prefix.address.bits, prefix.length)
        let before = networks.count
        let element = network.map { network in
            var profile: ClientProfile?
            if case .pods(let families) = network { profile = ClientProfile(families: families) }
            return Network(prefix: prefix, profile: profile, hash: hash)
        }
        networks.set(element, hash: hash) { $0.prefix == prefix }
        let step = networks.count - before
        if prefix.family == .ipv4 { ipv4.change(prefix.length, by: step) } else { ipv6.change(prefix.length, by: step) }
    }

    /// What is known about a client by the longest network that it is in; nil for one that is not answered, which this
    /// machine's loopback always is.
    func profile(of address: IPAddress) -> ClientProfile? {
        let lengths = address.family == .ipv4 ? ipv4.present : ipv6.present
        for index in lengths.indices {
            let prefix = IPPrefix(address, length: lengths[index])
            let hash = ClientPrefixes.hash(prefix.address.bits, prefix.length)
            if let network = networks.first(hash, where: { $0.prefix == prefix }) { return network.profile ?? usual }
        }
        return address.isLoopback ? usual : nil
    }

    /// The families of a client; nil for one that is not answered.
    public func families(of address: IPAddress) -> Set<IPFamily>? { profile(of: address)?.families }

    @inline(__always)
    private static func hash(_ bits: UInt128, _ length: Int) -> UInt64 {
        NameHash.hash(bits ^ UInt128(length) << 64)
    }
}
