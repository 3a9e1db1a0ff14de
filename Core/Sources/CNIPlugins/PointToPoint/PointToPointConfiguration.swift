import CNI
import JSON

/// The configuration of `ptp`.
struct PointToPointConfiguration {
    /// The MTU of both ends in bytes; 0 leaves it to the kernel.
    let mtu: Int
    /// Whether what leaves the pod's subnet gets the host's address.
    let masquerades: Bool
    /// Resolver settings that replace those of the IPAM plugin when there are any.
    let dns: CNIResult.DNS

    init(_ configuration: NetworkConfiguration) throws(CNIError) {
        let json = configuration.json
        mtu = max(0, try json.number("mtu"))
        masquerades = try Masquerade.isWanted(json)
        dns = try configuration.dns()
    }
}
