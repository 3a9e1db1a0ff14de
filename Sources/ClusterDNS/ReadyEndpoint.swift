import Addresses
import DNSMessage
import KubernetesAPI

/// An endpoint that takes traffic, and its name below that of its Service.
struct ReadyEndpoint {
    let address: IPAddress
    let name: DNSName
    let ports: [EndpointPort]

    /// The ready endpoints of a slice; slices of names instead of addresses have none.
    static func read(_ slice: EndpointSlice, base: DNSName) -> [ReadyEndpoint] {
        guard let family = IPFamily(name: slice.addressType) else { return [] }
        return (slice.endpoints ?? []).compactMap { endpoint in
            guard endpoint.conditions?.ready != false,
                let address = endpoint.addresses.first.flatMap({ IPAddress(sloppy: $0) }), address.family == family
            else { return nil }
            let hostname = endpoint.hostname.flatMap { $0.isEmpty ? nil : $0.lowercased() }
            guard let name = base.prepending(hostname ?? address.endpointLabel) else { return nil }
            return ReadyEndpoint(address: address, name: name, ports: slice.ports ?? [])
        }
    }
}

extension IPAddress {
    /// The address as a DNS label: dashes for separators, and a zero where a dash would stand at an end.
    var endpointLabel: String {
        let dashed = String(description.map { $0 == "." || $0 == ":" ? "-" : $0 })
        return (dashed.hasPrefix("-") ? "0" : "") + dashed + (dashed.hasSuffix("-") ? "0" : "")
    }

    /// The address that a reverse name stands for; nil for names that are not the reverse of a whole address.
    init?(reverse name: DNSName) {
        let wire = name.wire
        for family in IPFamily.allCases {
            let zone = IPAddress.unspecified(family).reverseZone
            guard name.isInside(zone) else { continue }
            var bits: UInt128 = 0
            var shift = 0
            var position = 0
            while position < wire.count - zone.wire.count {
                let end = position + 1 + Int(wire[position])
                guard shift < family.bitWidth, let value = IPAddress.unit(wire[(position + 1)..<end], family) else {
                    return nil
                }
                bits |= UInt128(value) << UInt128(shift)
                shift += family == .ipv4 ? 8 : 4
                position = end
            }
            guard shift == family.bitWidth else { return nil }
            self.init(family: family, bits: bits)
            return
        }
        return nil
    }

    /// The value of one label of a reverse name: a decimal octet or a hexadecimal digit.
    private static func unit(_ label: ArraySlice<UInt8>, _ family: IPFamily) -> UInt8? {
        guard label.count <= (family == .ipv4 ? 3 : 1), label.count == 1 || label.first != UInt8(ascii: "0") else {
            return nil
        }
        var value = 0
        for byte in label {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, digit < 10 || family == .ipv6 else {
                return nil
            }
            value = value * 10 + digit
        }
        return UInt8(exactly: value)
    }

    private var reverseZone: DNSName { family == .ipv4 ? IPAddress.reverseIPv4 : IPAddress.reverseIPv6 }
    private static let reverseIPv4 = DNSName("in-addr.arpa") ?? .root
    private static let reverseIPv6 = DNSName("ip6.arpa") ?? .root
}
