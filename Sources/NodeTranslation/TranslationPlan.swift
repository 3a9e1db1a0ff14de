package import Addresses
package import KubernetesAPI
internal import PodRouting

/// What this node translates, as the objects of the cluster call for.
///
/// A change of one object costs what hangs on it: a pod itself, a namespace its pods, the node all of its pods.
package struct TranslationPlan: Sendable {
    private let options: NodeTranslationOptions
    private let nodeName: String
    /// The private addresses.
    package private(set) var addresses: PrivateAddresses
    /// The pods that are translated for, some with a CLAT.
    package private(set) var pods: [IPv6Address: TranslatedPod] = [:]
    /// How many of them are translated for.
    package private(set) var translatedCount = 0
    /// How many of them have a CLAT.
    package private(set) var clatCount = 0
    /// Pods that got no private address since all are taken.
    package private(set) var unserved: Set<ObjectKey> = []

    /// What an object's annotations say.
    private struct Wishes: Hashable {
        var translation: TranslationSwitch?
        var clat: TranslationSwitch?

        init(_ metadata: ObjectMeta) {
            translation = TranslationSwitch(metadata, TranslationSwitch.translationAnnotation)
            clat = TranslationSwitch(metadata, TranslationSwitch.clatAnnotation)
        }

        init(translation: TranslationSwitch, clat: TranslationSwitch) {
            self.translation = translation
            self.clat = clat
        }
    }

    private struct Candidate: Hashable {
        let ipv6: IPv6Address
        let wishes: Wishes
        var isNode = false
    }

    private var candidates: [ObjectKey: Candidate] = [:]
    private var known: [ObjectKey: IPv6Address] = [:]
    private var namespaces: [String: Wishes] = [:]
    private var node: Wishes?
    private var nodeNetworks: [String: Set<IPPrefix>] = [:]
    private var nodeAddresses: [String: Set<IPPrefix>] = [:]
    private var blocks: [String: Set<IPPrefix>] = [:]
    private var serviceRanges: [String: Set<IPPrefix>] = [:]
    private var services: [ObjectKey: Set<IPPrefix>] = [:]
    private var dirty: Set<ObjectKey> = []
    private var areDestinationsDirty = true
    private var lastDestinations: Destinations?
    private var clusterNodes: [String: ClusterNode] = [:]
    private var clusterNetworks: [String: NodeNetwork] = [:]
    private var gateways: TranslationGateways
    private var gatewayAnnotation: String?
    /// The addresses of nodes that send their packets here, by name.
    private var senders: [String: IPv4Address] = [:]
    private var dirtySenders: Set<String> = []

    /// A plan without objects.
    package init(options: NodeTranslationOptions, nodeName: String) {
        self.options = options
        self.nodeName = nodeName
        addresses = PrivateAddresses(range: options.podRange)
        gateways = TranslationGateways(range: options.gatewayRange)
    }

    // MARK: Objects

    /// Takes a pod's new state, nil when it is gone.
    package mutating func set(_ key: ObjectKey, pod: Pod?) {
        let candidate = pod.flatMap { self.candidate($0) }
        guard candidates[key] != candidate else { return }
        candidates[key] = candidate
        dirty.insert(key)
    }

    /// Takes a namespace's new state, nil when it is gone.
    package mutating func set(namespace name: String, _ namespace: Namespace?) {
        let value = namespace.map { Wishes($0.metadata) }
        guard namespaces[name] != value else { return }
        namespaces[name] = value
        dirty.formUnion(candidates.keys.filter { $0.namespace == name })
    }

    /// Takes a node's new state, nil when it is gone.
    package mutating func set(node name: String, _ object: Node?) {
        clusterNodes[name] = object.map { ClusterNode($0) }
        if name == nodeName { gatewayAnnotation = object?.metadata.annotations?[TranslationGateway.annotation] }
        updateGateways(name)
        note(\.nodeNetworks, name, object.map { Self.ipv4($0.podCIDRs.compactMap { IPPrefix(masking: $0) }) })
        // Not its internal addresses alone.
        let all = object?.status?.addresses?.compactMap { IPAddress($0.address) } ?? []
        note(\.nodeAddresses, name, object.map { _ in Self.hosts(all) })
        guard name == nodeName else { return }
        if options.translatesNode, let object { setOwn(ClusterNode(object)) }
        let value = object.map { Wishes($0.metadata) }
        guard node != value else { return }
        node = value
        dirty.formUnion(candidates.keys)
    }

    /// The node itself is like one of its pods, by its first IPv6 address.
    private mutating func setOwn(_ node: ClusterNode) {
        guard case .v6(let address)? = node.address(.ipv6) else { return }
        // No pod has a name without a namespace.
        let key = ObjectKey(namespace: "", name: nodeName)
        // It has IPv4 sockets of its own, so that a CLAT would be of no use.
        let wishes = Wishes(translation: .enabled, clat: .disabled)
        let candidate = Candidate(ipv6: address, wishes: wishes, isNode: true)
        guard candidates[key] != candidate else { return }
        candidates[key] = candidate
        dirty.insert(key)
    }

    /// Takes a node's further blocks, nil when they are gone.
    package mutating func set(node name: String, network: NodeNetwork?) {
        clusterNetworks[name] = network
        updateGateways(name)
        note(\.blocks, name, network.map { Self.ipv4(($0.spec?.blocks ?? []).compactMap { IPPrefix($0.cidr) }) })
    }

    /// The same as routing is told, so that both mean the same addresses.
    private mutating func updateGateways(_ name: String) {
        let node = clusterNodes[name]?.adding(clusterNetworks[name])
        // A node whose object is gone for a moment keeps its way.
        guard name != nodeName || node != nil else { return }
        let wasGateway = gateways.gateway(nodeName) != nil
        dirtySenders.formUnion(gateways.update(name, node))
        dirtySenders.insert(name)
        if wasGateway != (gateways.gateway(nodeName) != nil) { dirtySenders.formUnion(gateways.nodes) }
    }

    /// Takes a range of Services' addresses, nil when it is gone.
    package mutating func set(serviceRange name: String, _ range: ServiceCIDR?) {
        note(\.serviceRanges, name, range.map { Self.ipv4(($0.spec?.cidrs ?? []).compactMap { IPPrefix($0) }) })
    }

    /// Takes a Service's new state, nil when it is gone; not every API server says what the ranges are.
    package mutating func set(_ key: ObjectKey, service: Service?) {
        let addresses = service?.spec?.clusterIPs ?? (service?.spec?.clusterIP).map { [$0] } ?? []
        note(\.services, key, service.map { _ in Self.hosts(addresses.compactMap { IPAddress($0) }) })
    }

    /// Takes over the private addresses that an earlier process gave out.
    package mutating func adopt(_ owners: [IPv4Address: PrivateAddresses.Owner]) {
        for (address, owner) in owners.sorted(by: { $0.key < $1.key }) { _ = addresses.adopt(address, for: owner) }
    }

    /// Takes back the private addresses of pods that are not there any more, once all objects are known.
    package mutating func releaseAdopted() {
        for purpose in PrivateAddresses.Purpose.allCases {
            for pod in addresses.pods(purpose).values where pods[pod] == nil { addresses.release(.init(pod, purpose)) }
        }
    }

    // MARK: Results

    /// Brings `pods` up to date.
    ///
    /// - Returns: the pods that changed, as they were and as they are.
    package mutating func update() -> [(old: TranslatedPod?, new: TranslatedPod?)] {
        // Whoever has not got an address may get one that another one gives back.
        let keys = dirty.union(unserved)
        dirty = []
        unserved = []
        var changes: [(old: TranslatedPod?, new: TranslatedPod?)] = []
        for key in keys {
            guard let address = known[key], candidates[key]?.ipv6 != address else { continue }
            known[key] = nil
            guard let former = pods[address], former.key == key else { continue }
            keep(nil, at: address)
            for purpose in PrivateAddresses.Purpose.allCases { addresses.release(.init(address, purpose)) }
            changes.append((former, nil))
        }
        for key in keys.sorted(by: { ($0.namespace, $0.name) < ($1.namespace, $1.name) }) {
            guard let candidate = candidates[key] else { continue }
            known[key] = candidate.ipv6
            // A pod that is being deleted may still be listed with an address that another one has got meanwhile.
            let old = pods[candidate.ipv6]
            let isTranslated = isEnabled(\.translation, key, candidate, unlessSaid: options.translatesUnlessDisabled)
            let wantsCLAT = isEnabled(\.clat, key, candidate, unlessSaid: options.givesCLATUnlessDisabled)
            let translated = assign(candidate.ipv6, .translated, isTranslated, key)
            let clat = assign(candidate.ipv6, .clat, isTranslated && wantsCLAT, key)
            let new = TranslatedPod(
                key: key, ipv6: candidate.ipv6, translated: translated, clat: clat, isNode: candidate.isNode)
            let value = new.privateAddresses.isEmpty ? nil : new
            guard old != value else { continue }
            keep(value, at: candidate.ipv6)
            changes.append((old, value))
        }
        return changes
    }

    private mutating func keep(_ pod: TranslatedPod?, at address: IPv6Address) {
        let old = pods[address]
        pods[address] = pod
        func count(_ pod: TranslatedPod?) -> Int { pod?.translated == nil || pod?.isNode == true ? 0 : 1 }
        translatedCount += count(pod) - count(old)
        clatCount += (pod?.clat == nil ? 0 : 1) - (old?.clat == nil ? 0 : 1)
    }

    /// Which destinations are refused; equal to the former ones unless an object has changed.
    package mutating func destinations() -> Destinations {
        if let lastDestinations, !areDestinationsDirty { return lastDestinations }
        areDestinationsDirty = false
        let ranges = serviceRanges.values.reduce(into: Set<IPPrefix>()) { $0.formUnion($1) }
        let single = services.values.reduce(into: Set<IPPrefix>()) { $0.formUnion($1) }
            .filter { address in !ranges.contains { $0.contains(address) } }
        let result = Destinations(
            allowed: options.allowed,
            refused: [
                .pods: Set(
                    [nodeNetworks, blocks].flatMap { $0.values.flatMap(\.self) } + [
                        options.podRange, options.gatewayRange,
                    ]),
                .services: ranges.union(single),
                .nodes: Set(nodeAddresses.values.flatMap(\.self)),
            ])
        lastDestinations = result
        return result
    }

    /// The address by which the node itself is translated for; nil where it is not.
    package var ownAddress: IPv6Address? { known[ObjectKey(namespace: "", name: nodeName)] }

    /// By which node, and under which addresses, packets leave.
    package var exit: TranslationExit { TranslationExit(of: nodeName, gateways) }

    /// The node's annotation that would make a gateway of it, where it cannot be read.
    package var unreadableGateway: String? {
        gatewayAnnotation.flatMap { TranslationGateway.egress($0) == nil ? $0 : nil }
    }

    /// The addresses of nodes that send their packets here, brought up to date.
    ///
    /// - Returns: those that went, and those that came, since the last call.
    package mutating func updateSenders() -> (gone: Set<IPv4Address>, new: Set<IPv4Address>) {
        var (gone, new): (Set<IPv4Address>, Set<IPv4Address>) = ([], [])
        for name in dirtySenders {
            let address = gateways.isSender(name, to: nodeName) ? gateways.address(of: name) : nil
            guard senders[name] != address else { continue }
            if let former = senders[name] { gone.insert(former) }
            if let address { new.insert(address) }
            senders[name] = address
        }
        dirtySenders = []
        return (gone.subtracting(new), new)
    }

    /// The addresses of nodes that send their packets here, as of the last update.
    package var senderAddresses: [IPv4Address] { Array(senders.values) }

    private func candidate(_ pod: Pod) -> Candidate? {
        guard pod.spec?.nodeName == nodeName, pod.spec?.hostNetwork != true, !pod.isFinished else { return nil }
        var own: IPv6Address?
        for text in pod.addresses {
            // With an IPv4 address a pod needs no translation.
            guard case .v6(let address)? = IPAddress(text) else { return nil }
            own = own ?? address
        }
        return own.map { Candidate(ipv6: $0, wishes: Wishes(pod.metadata)) }
    }

    /// What holds for a pod: its own annotation counts before that of its namespace, and that before the node's.
    private func isEnabled(
        _ wish: KeyPath<Wishes, TranslationSwitch?>, _ key: ObjectKey, _ candidate: Candidate, unlessSaid: Bool
    ) -> Bool {
        let value =
            candidate.wishes[keyPath: wish] ?? namespaces[key.namespace]?[keyPath: wish] ?? node?[keyPath: wish]
        return value.map { $0 == .enabled } ?? unlessSaid
    }

    private mutating func assign(
        _ pod: IPv6Address, _ purpose: PrivateAddresses.Purpose, _ isWanted: Bool, _ key: ObjectKey
    ) -> IPv4Address? {
        let owner = PrivateAddresses.Owner(pod, purpose)
        guard isWanted else {
            addresses.release(owner)
            return nil
        }
        guard let address = addresses.assign(owner) else {
            unserved.insert(key)
            return nil
        }
        return address
    }

    private mutating func note<Key: Hashable>(
        _ field: WritableKeyPath<TranslationPlan, [Key: Set<IPPrefix>]>, _ key: Key, _ value: Set<IPPrefix>?
    ) {
        guard self[keyPath: field][key] != value else { return }
        self[keyPath: field][key] = value
        areDestinationsDirty = true
    }

    private static func ipv4(_ prefixes: [IPPrefix]) -> Set<IPPrefix> { Set(prefixes.filter { $0.family == .ipv4 }) }

    private static func hosts(_ addresses: [IPAddress]) -> Set<IPPrefix> {
        ipv4(addresses.map { IPPrefix($0, length: $0.family.bitWidth) })
    }
}
