import CNI
import JSON
import RouteNetlink

/// The limits of a pod's bandwidth; nil stands for no limit.
struct BandwidthConfiguration: Hashable {
    /// The limit of what the pod receives.
    let ingress: TokenBucket?
    /// The limit of what the pod sends.
    let egress: TokenBucket?

    /// For how long packets may wait.
    private static let latencyMilliseconds: UInt64 = 25

    /// Reads the configuration: bits a second and bits of burst, of the configuration itself or of the runtime.
    init(_ configuration: NetworkConfiguration) throws(CNIError) {
        let keys = ["ingressRate", "ingressBurst", "egressRate", "egressBurst"]
        let own = configuration.json
        let isStatic = keys.contains { own[$0].map { !$0.isNull } ?? false }
        let source = isStatic ? own : configuration.runtime?["bandwidth"] ?? .null
        for key in ["shapedSubnets", "unshapedSubnets"] {
            guard try source.list(key).isEmpty else {
                throw CNIError(.unsupportedField, "unsupported field \"\(key)\": \((source[key] ?? .null).text())")
            }
        }
        ingress = try Self.bucket(source, "ingress")
        egress = try Self.bucket(source, "egress")
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
