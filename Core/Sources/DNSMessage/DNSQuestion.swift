/// What a query asks for (RFC 1035 §4.1.2).
@frozen
public struct DNSQuestion: Hashable, Sendable {
    /// The name.
    public var name: DNSName
    /// The wanted type.
    public var type: DNSRecordType
    /// The wanted class.
    public var dnsClass: DNSClass

    /// Makes a question.
    @inlinable
    public init(name: DNSName, type: DNSRecordType, dnsClass: DNSClass = .internet) {
        self.name = name
        self.type = type
        self.dnsClass = dnsClass
    }
}
