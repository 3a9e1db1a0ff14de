/// A version of the CNI protocol, as in `cniVersion`.
public struct CNIVersion: Hashable, Comparable, Sendable, LosslessStringConvertible {
    /// The three numbers, most significant first.
    public let major, minor, patch: UInt16

    /// Makes a version from its three numbers.
    public init(_ major: UInt16, _ minor: UInt16, _ patch: UInt16) {
        self.major = major
        self.minor = minor
        self.patch = patch
    }

    /// Reads `major.minor.patch`; missing trailing parts are zero, anything else gives nil.
    public init?(_ description: String) {
        let parts = description.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...3).contains(parts.count) else { return nil }
        var numbers: [UInt16] = []
        for part in parts {
            guard part.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt16(part) else { return nil }
            numbers.append(number)
        }
        numbers += Array(repeating: 0, count: 3 - numbers.count)
        self.init(numbers[0], numbers[1], numbers[2])
    }

    /// The form written in `cniVersion`.
    public var description: String { "\(major).\(minor).\(patch)" }

    /// Orders by major, then minor, then patch.
    public static func < (left: CNIVersion, right: CNIVersion) -> Bool {
        (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
    }

    /// The version that an absent `cniVersion` means.
    public static let unspecified = CNIVersion(0, 1, 0)

    /// The newest version spoken here.
    public static let newest = CNIVersion(1, 1, 0)

    /// Every version that the plugins speak, oldest first.
    public static let supported = [
        CNIVersion(0, 1, 0), CNIVersion(0, 2, 0), CNIVersion(0, 3, 0), CNIVersion(0, 3, 1), CNIVersion(0, 4, 0),
        CNIVersion(1, 0, 0), CNIVersion(1, 1, 0),
    ]

    /// Whether CHECK exists in this version.
    public var hasCheck: Bool { self >= CNIVersion(0, 4, 0) }

    /// Whether GC and STATUS exist in this version.
    public var hasGarbageCollection: Bool { self >= CNIVersion(1, 1, 0) }

    /// Whether a result lists addresses and interfaces rather than one `ip4` and one `ip6`.
    var hasAddressList: Bool { self >= CNIVersion(0, 3, 0) }

    /// Whether each address of a result names its family in `version`.
    var namesAddressFamily: Bool { hasAddressList && self < CNIVersion(1, 0, 0) }
}
