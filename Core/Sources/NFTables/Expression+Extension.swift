internal import CLinux

// What iptables writes for its matches where nftables has expressions of its own, so that it knows them again.
extension Expression {
    /// Keeps a text in a rule as `iptables -m comment` does; it matches always.
    ///
    /// - Precondition: the text has at most 255 bytes.
    public static func comment(_ text: String) -> Expression {
        let size = Int(XT_MAX_COMMENT_LEN)
        precondition(text.utf8.count < size, "a comment of iptables has at most 255 bytes")
        let bytes = Array(text.utf8)
        return .match(
            extension: "comment", revision: 0, data: bytes + [UInt8](repeating: 0, count: size - bytes.count))
    }

    /// Goes on for packets of connections in given states, as `iptables -m conntrack --ctstate` does.
    ///
    /// - Parameter states: bits of `ConnectionState`.
    public static func isConnection(_ states: UInt32) -> Expression {
        let size = MemoryLayout<xt_conntrack_mtinfo3>.size
        // XT_ALIGN of linux/netfilter/x_tables.h.
        var data = [UInt8](repeating: 0, count: (size + 7) & ~7)
        func store(_ value: UInt16, at field: PartialKeyPath<xt_conntrack_mtinfo3>) {
            guard let offset = MemoryLayout<xt_conntrack_mtinfo3>.offset(of: field) else { return }
            unsafe withUnsafeBytes(of: value) { unsafe data.replaceSubrange(offset..<offset + 2, with: $0) }
        }
        store(UInt16(XT_CONNTRACK_STATE), at: \.match_flags)
        // The same bits as those of nftables but for untracked packets.
        store(UInt16(states & 0xf), at: \.state_mask)
        return .match(extension: "conntrack", revision: 3, data: data)
    }
}
