public import Addresses
import DNSMessage

/// What a server does for a client beyond answering what it asks.
public struct Treatment: OptionSet, Hashable, Sendable {
    /// The flags as a number.
    public let rawValue: UInt8

    /// Makes a treatment from its number.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Nothing: answers are passed as they are.
    public static let pass: Treatment = []
    /// IPv6 addresses are made for names that have IPv4 addresses only (DNS64, RFC 6147).
    public static let synthesize = Treatment(rawValue: 1)
    /// Addresses of a family that the client does not have are left out.
    public static let filter = Treatment(rawValue: 2)
}

/// What is known about a client.
public struct ClientProfile: Hashable, Sendable {
    /// The families that the client has an address of.
    public var families: Set<IPFamily> {
        Set(IPFamily.allCases.filter { familyBits & ClientProfile.bit($0) != 0 })
    }
    let familyBits: UInt8
    /// The treatment that the client asks for; nil for the server's choice.
    public let treatment: Treatment?
    /// The client's namespace, in lower case and wire form without the root; empty for a client that has none.
    let namespace: [UInt8]

    /// Describes a client.
    public init(families: some Sequence<IPFamily>, namespace: String? = nil, treatment: Treatment? = nil) {
        familyBits = families.reduce(0) { $0 | ClientProfile.bit($1) }
        self.treatment = treatment
        self.namespace = namespace.flatMap(DNSName.init).map { $0.wire.dropLast().map(DNSName.folded) } ?? []
    }

    /// Whether the client's namespace is the given label, which is led by its length.
    func isIn(_ label: RawSpan) -> Bool { namespace.raw.isEqual(to: label) }

    /// Whether nothing is known about the families.
    var isUnknown: Bool { familyBits == 0 }

    func has(_ family: IPFamily) -> Bool { familyBits & ClientProfile.bit(family) != 0 }

    private static func bit(_ family: IPFamily) -> UInt8 { family == .ipv4 ? 1 : 2 }
}

/// Treatments by the families that a client has.
public struct TreatmentPolicy: Hashable, Sendable {
    /// Clients that have IPv4 alone.
    public var ipv4Only: Treatment
    /// Clients that have IPv6 alone.
    public var ipv6Only: Treatment
    /// Clients that have both.
    public var dualStack: Treatment

    /// Describes a policy: clients that have IPv6 alone get addresses that they can reach, others what they ask for.
    public init(ipv4Only: Treatment = .pass, ipv6Only: Treatment = .synthesize, dualStack: Treatment = .pass) {
        self.ipv4Only = ipv4Only
        self.ipv6Only = ipv6Only
        self.dualStack = dualStack
    }

    func treatment(of profile: ClientProfile) -> Treatment {
        if let treatment = profile.treatment { return treatment }
        switch (profile.has(.ipv4), profile.has(.ipv6)) {
        case (true, false): return ipv4Only
        case (false, true): return ipv6Only
        default: return dualStack
        }
    }
}

extension Treatment: CustomStringConvertible {
    private static let words: [(String, Treatment)] = [("synthesize", .synthesize), ("filter", .filter)]

    /// Reads `pass`, or words separated by commas: `synthesize`, `filter`; nil for anything else.
    public init?(text: String) {
        self = .pass
        guard text != "pass" else { return }
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let word = Treatment.words.first(where: { $0.0 == part }) else { return nil }
            insert(word.1)
        }
    }

    /// The form that is read.
    public var description: String {
        isEmpty ? "pass" : Treatment.words.filter { contains($0.1) }.map(\.0).joined(separator: ",")
    }
}
