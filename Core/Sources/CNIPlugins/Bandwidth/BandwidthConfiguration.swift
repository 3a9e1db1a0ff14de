import Addresses
import CNI
import JSON
import RouteNetlink

/// The limits of a pod's bandwidth; nil stands for no limit.
struct BandwidthConfiguration: Hashable {
    /// The limit of what the pod receives.
    let ingress: TokenBucket?
    /// The limit of what the pod sends.
    let egress: TokenBucket?
    /// Which packets the limits are for.
    let scope: Scope

    /// Which packets are limited, by the address of the other end.
    enum Scope: Hashable {
        /// All of them.
        case all
        /// Those of some prefixes (`shapedSubnets`).
        case only([IPPrefix])
        /// All but those of some prefixes (`unshapedSubnets`).
        case except([IPPrefix])
    }

    /// For how long packets may wait.
    private static let latencyMilliseconds: UInt64 = 25

    /// Reads the configuration: bits a second and bits of burst, of the configuration itself or of the runtime.
    init(_ configuration: NetworkConfiguration) throws(CNIError) {
        let keys = ["ingressRate", "ingressBurst", "egressRate", "egressBurst"]
        let own = configuration.json
        let isStatic = keys.contains { own[$0].map { !$0.isNull } ?? false }
        let source = isStatic ? own : configuration.runtime?["bandwidth"] ?? .null
        // What a runtime asks for is a rate; which packets it counts for the operator says.
        var scope = try Self.scope(source)
        if scope == .all { scope = try Self.scope(own) }
        self.scope = scope
        ingress = try Self.bucket(source, "ingress")
        egress = try Self.bucket(source, "egress")
    }

    private static func scope(_ json: JSONValue) throws(CNIError) -> Scope {
        let shaped = try subnets(json, "shapedSubnets")
        let unshaped = try subnets(json, "unshapedSubnets")
        guard shaped.isEmpty || unshaped.isEmpty else {
            throw CNIError(
                "unshapedSubnets and shapedSubnets cannot be both specified, one of them should be discarded")
        }
        if !shaped.isEmpty { return .only(shaped) }
        return unshaped.isEmpty ? .all : .except(unshaped)
    }

    private static func subnets(_ json: JSONValue, _ key: String) throws(CNIError) -> [IPPrefix] {
        var subnets: [IPPrefix] = []
        for text in try json.strings(key) {
            guard let prefix = IPPrefix(masking: text) else {
                throw CNIError("bad subnet \"\(text)\" provided, details invalid CIDR address: \(text)")
            }
            subnets.append(prefix)
        }
        return subnets
    }

    private static func bucket(_ json: JSONValue, _ direction: String) throws(CNIError) -> TokenBucket? {
        let rate = try bits(json, "\(direction)Rate")
        let burst = try bits(json, "\(direction)Burst")
        guard rate == 0 || burst != 0 else { throw CNIError("if rate is set, burst must also be set") }
        guard burst == 0 || rate != 0 else { throw CNIError("if burst is set, rate must also be set") }
        guard let bytes = UInt32(exactly: burst / 8), bytes < UInt32.max else {
            throw CNIError("burst cannot be more than 4GB")
        }
        if rate == 0 { return nil }
        guard rate >= 8, bytes > 0 else {
            throw CNIError("invalid \(direction) limit: rate and burst must each be 8 bits or more")
        }
        return TokenBucket(rate: rate / 8, burst: bytes, latencyMilliseconds: latencyMilliseconds)
    }

    private static func bits(_ json: JSONValue, _ key: String) throws(CNIError) -> UInt64 {
        let number = try json.number(key)
        guard let bits = UInt64(exactly: number) else { throw CNIError("invalid \(key): \(number)") }
        return bits
    }
}
