package import Addresses
import JSON
package import KubernetesAPI

/// The syntax and meaning of addresses in API objects.
package enum AddressRules {
    private static let example = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
    private static let prefixExample = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"

    /// What is wrong with the text of an address.
    ///
    /// Leading zeros and IPv4-mapped IPv6 addresses are refused, unless the value stood there before.
    package static func address(_ text: String, at path: FieldPath, tolerating old: [String] = []) -> [FieldError] {
        guard IPAddress(sloppy: text) != nil else { return [.invalid(path, .string(text), example)] }
        if old.contains(text) { return [] }
        return oddity(text).map { [.invalid(path, .string(text), $0)] } ?? []
    }

    /// What is wrong with the text of a prefix.
    package static func prefix(_ text: String, at path: FieldPath, tolerating old: [String] = []) -> [FieldError] {
        guard let (address, length) = parts(ofPrefix: text) else {
            return [.invalid(path, .string(text), prefixExample)]
        }
        if old.contains(text) { return [] }
        if let oddity = oddity(String(text.prefix { $0 != "/" })) { return [.invalid(path, .string(text), oddity)] }
        guard IPPrefix(address, length: length).address == address else {
            return [.invalid(path, .string(text), "must not have bits set beyond the prefix length")]
        }
        return []
    }

    /// The family of a prefix, however it is written; nil for what is none.
    package static func family(ofPrefix text: String) -> IPFamily? { parts(ofPrefix: text)?.address.family }

    private static func parts(ofPrefix text: String) -> (address: IPAddress, length: Int)? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let address = IPAddress(sloppy: parts[0]), parts[1].utf8.allSatisfy(\.isDigit),
            let length = Int(parts[1]), length <= address.family.bitWidth
        else { return nil }
        return (address, length)
    }

    /// What makes an address unfit as one that clients connect to: it means this host, this link or nothing.
    package static func special(_ text: String, at path: FieldPath) -> [FieldError] {
        guard let address = IPAddress(sloppy: text) else { return [.invalid(path, .string(text), example)] }
        var problems: [String] = []
        if address.isUnspecified {
            problems.append("may not be unspecified (0.0.0.0 or ::)")
        }
        if address.isLoopback {
            problems.append("may not be in the loopback range (127.0.0.0/8, ::1/128)")
        }
        if address.isLinkLocalUnicast {
            problems.append("may not be in the link-local range (169.254.0.0/16, fe80::/10)")
        }
        if address.isLinkLocalMulticast {
            problems.append("may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)")
        }
        return problems.map { .invalid(path, .string(text), $0) }
    }

    /// Whether a list holds at most one address of each family.
    package static func areOfDistinctFamilies(_ families: [IPFamily]) -> Bool {
        families.count <= 2 && Set(families).count == families.count
    }

    /// Tells a client about addresses that are not in the form of RFC 5952, or that will be refused one day.
    package static func warnAboutForm(_ texts: [String], at path: FieldPath, _ warnings: WarningSink) {
        for (index, text) in texts.enumerated() { warnAboutForm(of: text, at: path[index], warnings) }
    }

    /// The same for one address.
    package static func warnAboutForm(of text: String, at path: FieldPath, _ warnings: WarningSink) {
        guard let address = IPAddress(sloppy: text) else { return }
        if oddity(text) != nil {
            warnings.warn(
                "\(path): non-standard IP address \"\(text)\" will be considered invalid in a future Kubernetes "
                    + "release: use \"\(address)\"")
        } else if address.family == .ipv6, address.description != text {
            warnings.warn(
                "\(path): IPv6 address \"\(text)\" should be in RFC 5952 canonical format (\"\(address)\")")
        }
    }

    /// The same for a prefix.
    package static func warnAboutForm(ofPrefix text: String, at path: FieldPath, _ warnings: WarningSink) {
        guard let (address, length) = parts(ofPrefix: text) else { return }
        let prefix = IPPrefix(address, length: length)
        let isOdd = oddity(String(text.prefix { $0 != "/" })) != nil
        if prefix.address != address {
            let single = IPPrefix(address, length: address.family.bitWidth)
            warnings.warn(
                "\(path): CIDR value \"\(text)\" is ambiguous in this context (should be \"\(prefix)\" or \"\(single)\"?)"
            )
        }
        if isOdd {
            warnings.warn(
                "\(path): non-standard CIDR value \"\(text)\" will be considered invalid in a future Kubernetes "
                    + "release: use \"\(prefix)\"")
        } else if prefix.address == address, address.family == .ipv6, prefix.description != text {
            warnings.warn(
                "\(path): IPv6 CIDR value \"\(text)\" should be in RFC 5952 canonical format (\"\(prefix)\")")
        }
    }

    /// Why a text that Kubernetes once accepted is refused today.
    private static func oddity(_ text: String) -> String? {
        if text.contains(":") {
            return IPAddress(sloppy: text)?.family == .ipv4 ? "must not be an IPv4-mapped IPv6 address" : nil
        }
        return IPAddress(text) == nil ? "must not have leading 0s" : nil
    }
}
