extension IPPrefix {
    /// The /96 of an IPv6 block of pods that stands for IPv4 callers, whose addresses are embedded in it (RFC 6052).
    ///
    /// It is the last one whose bits 64 to 71 are zero, as embedding wants them: `fd00:1::/64` has `fd00:1::ff:ffff:0:0/96`.
    /// No pod gets an address from its beginning on. Nil for IPv4, and for blocks that would lose more than 1/256 to it or
    /// have other bits there.
    @inlinable
    public var callers: TranslationPrefix? {
        guard family == .ipv6, length <= 88 else { return nil }
        let bits = last.bits & ~TranslationPrefix.reservedOctet
        let prefix = IPPrefix(IPAddress(family: .ipv6, bits: bits), length: 96)
        return contains(prefix) ? TranslationPrefix(prefix) : nil
    }
}
