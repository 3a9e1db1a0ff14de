public import Addresses
public import BPF
internal import CBPFObjects
internal import Linux
public import Netlink
public import RouteNetlink

/// The programs that translate between IPv6 pods and IPv4 at the host's end of their links (BPF/nat64.c).
///
/// A pod has a private IPv4 address on its node; between its link and the rest of the node's network its packets are plain
/// IPv4 with that address. The programs and their maps stay in the kernel when this process ends.
public struct PodTranslator: ~Copyable, Sendable {
    private let fromPod: BPFProgram
    private let toPod: BPFProgram
    private let byIPv6: BPFMap<UInt128, UInt32>
    private let byIPv4: BPFMap<UInt32, UInt128>
    private let counterMap: BPFMap<UInt32, SIMD2<UInt64>>

    /// The filters' turn on a link.
    private static let priority: UInt16 = 64

    /// Loads the programs.
    ///
    /// - Parameters:
    ///   - prefix: a translation prefix of 96 bits; one of another length only userspace translates.
    ///   - denied: the IPv4 networks that pods' packets are not translated to, at most 32; those packets are left to the kernel,
    ///     which routes them to the device, and what comes from there is given to it.
    ///   - lowestIPv6MTU: how long the packets may be that are made of IPv4 packets which may be fragmented, longer ones being
    ///     given to the device; nil for any length, where the link is the whole path, as that of a pod.
    ///   - copiesTrafficClass: whether the type of service becomes the traffic class and the reverse; otherwise both are zero.
    ///   - slowLink: the device of the translator in userspace, which gets what the programs leave; nil drops that.
    ///   - directory: where the maps are pinned, so that a process started later adopts them; nil pins nothing.
    public init(
        prefix: TranslationPrefix, denied: [IPPrefix] = [], lowestIPv6MTU: Int? = nil, copiesTrafficClass: Bool = true,
        slowLink: Int32?, mapsIn directory: String? = nil
    ) throws(BPFError) {
        guard prefix.length == 96 else {
            throw BPFError(
                .invalidArgument, "load program", "nat64", detail: "\(prefix.prefix) has not the length 96")
        }
        var specification = try CollectionSpecification(embedded: "nat64")
        try specification.set("prefix", to: prefix.address.rawValue.bigEndian)
        try specification.set("denied", to: try Self.networks(denied))
        try specification.set("lowest_mtu", to: UInt32(lowestIPv6MTU ?? 0))
        try specification.set("clears_traffic_class", to: UInt32(copiesTrafficClass ? 0 : 1))
        try specification.set("slow_link", to: UInt32(bitPattern: slowLink ?? 0))
        let collection = try BPFCollection(loading: specification, mapsIn: directory)
        // All of them before any is kept: a value that is made in part cannot be unmade.
        let fromPod = try collection.program("from_pod")
        let toPod = try collection.program("to_pod")
        let byIPv6 = try collection.map("pods_by_ipv6", UInt128.self, UInt32.self)
        let byIPv4 = try collection.map("pods_by_ipv4", UInt32.self, UInt128.self)
        let counterMap = try collection.map("nat64_counters", UInt32.self, SIMD2<UInt64>.self)
        self.fromPod = fromPod
        self.toPod = toPod
        self.byIPv6 = byIPv6
        self.byIPv4 = byIPv4
        self.counterMap = counterMap
    }

    /// Networks as the programs have them: addresses and masks in network order.
    private static func networks(
        _ networks: [IPPrefix]
    ) throws(BPFError) -> InlineArray<32, SIMD2<UInt32>> {
        var result = InlineArray<32, SIMD2<UInt32>>(repeating: SIMD2(0, 0))
        guard networks.count <= result.count, networks.allSatisfy({ $0.family == .ipv4 && $0.length > 0 }) else {
            throw BPFError(
                .invalidArgument, "load program", "nat64",
                detail: "\(networks.count) networks are more than \(result.count), or not all of IPv4")
        }
        for (index, network) in networks.enumerated() {
            let mask = UInt32.max << (32 - network.length)
            result[index] = SIMD2(UInt32(truncatingIfNeeded: network.address.bits).bigEndian, mask.bigEndian)
        }
        return result
    }

    // MARK: Pods

    /// Gives a pod its private IPv4 address, in place of another one that it has.
    public func set(_ ipv4: IPv4Address, for pod: IPv6Address) throws(BPFError) {
        let key = pod.rawValue.bigEndian
        if let old = try byIPv6.value(for: key), old != ipv4.rawValue.bigEndian { try byIPv4.remove(old) }
        try byIPv4.set(ipv4.rawValue.bigEndian, to: key)
        try byIPv6.set(key, to: ipv4.rawValue.bigEndian)
    }

    /// Takes a pod's private IPv4 address away.
    public func remove(_ pod: IPv6Address) throws(BPFError) {
        let key = pod.rawValue.bigEndian
        if let old = try byIPv6.value(for: key) { try byIPv4.remove(old) }
        try byIPv6.remove(key)
    }

    /// The pods and their private addresses.
    public func pods() throws(BPFError) -> [IPv6Address: IPv4Address] {
        var pods: [IPv6Address: IPv4Address] = [:]
        try byIPv6.forEach { key, value in
            pods[IPv6Address(rawValue: .init(bigEndian: key))] = IPv4Address(rawValue: .init(bigEndian: value))
        }
        return pods
    }

    // MARK: Links

    /// Lets the programs translate on the host's end of a pod's link; those of another process are replaced without a
    /// packet in between.
    public func attach(to link: Int32, _ socket: inout RouteSocket) throws(NetlinkError) {
        try socket.ensureFilterDiscipline(link)
        try socket.setProgramFilter(
            Self.filter(.ingress), on: link, program: fromPod.descriptor.rawValue)
        try socket.setProgramFilter(Self.filter(.egress), on: link, program: toPod.descriptor.rawValue)
    }

    /// Takes the programs from a link.
    public static func detach(from link: Int32, _ socket: inout RouteSocket) throws(NetlinkError) {
        try socket.deleteProgramFilter(filter(.ingress), on: link)
        try socket.deleteProgramFilter(filter(.egress), on: link)
    }

    static func filter(_ direction: ProgramFilter.Direction) -> ProgramFilter {
        ProgramFilter(
            direction, name: direction == .ingress ? "duet-nat64-from-pod" : "duet-nat64-to-pod", priority: priority)
    }

    // MARK: What an operator and a test see

    /// What a program did to a packet that went nowhere.
    public func run(
        _ direction: ProgramFilter.Direction, on frame: [UInt8], _ context: PacketContext = PacketContext()
    ) throws(BPFError) -> BPFProgram.Run {
        switch direction {
        case .ingress: try fromPod.run(on: frame, context)
        case .egress: try toPod.run(on: frame, context)
        }
    }

    /// The kernel's numbers of the programs.
    public func identifiers() throws(BPFError) -> [UInt32] {
        [try fromPod.information().identifier, try toPod.information().identifier]
    }

    /// What has become of packets on all links.
    public func counters() throws(BPFError) -> PodTranslationCounters {
        var counters = PodTranslationCounters()
        counters.fromPods = try count(DUET_NAT64_FROM_POD)
        counters.toPods = try count(DUET_NAT64_TO_POD)
        counters.slowFromPods = try count(DUET_NAT64_SLOW_FROM_POD)
        counters.slowToPods = try count(DUET_NAT64_SLOW_TO_POD)
        counters.unknownPods = try count(DUET_NAT64_UNKNOWN_POD)
        counters.denied = try count(DUET_NAT64_DENIED)
        return counters
    }

    private func count(_ number: Int) throws(BPFError) -> PodTranslationCounters.Count {
        let sum = (try counterMap.valuesPerCPU(for: UInt32(number)) ?? []).reduce(SIMD2(0, 0), &+)
        return PodTranslationCounters.Count(packets: sum[0], bytes: sum[1])
    }
}

/// What the programs have done with packets, segments that stand together counted once.
public struct PodTranslationCounters: Hashable, Sendable {
    /// Packets and their bytes.
    public struct Count: Hashable, Sendable {
        /// The packets.
        public var packets: UInt64 = 0
        /// Their bytes.
        public var bytes: UInt64 = 0
    }

    /// Translated, from pods.
    public var fromPods = Count()
    /// Translated, to pods.
    public var toPods = Count()
    /// Left to userspace, from pods.
    public var slowFromPods = Count()
    /// Given to userspace, to pods.
    public var slowToPods = Count()
    /// To the prefix, from an address that is no pod's.
    public var unknownPods = Count()
    /// To a network that is not translated to.
    public var denied = Count()

    /// All of them, with the names that operators know them by.
    public var named: [(name: String, count: Count)] {
        [
            ("fromPods", fromPods), ("toPods", toPods), ("slowFromPods", slowFromPods), ("slowToPods", slowToPods),
            ("unknownPods", unknownPods), ("denied", denied),
        ]
    }
}
