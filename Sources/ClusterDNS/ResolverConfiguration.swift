public import Addresses
internal import Linux

/// The part of a resolv.conf that a forwarder needs (resolv.conf(5)).
public struct ResolverConfiguration: Hashable, Sendable {
    /// The servers in order; those with a zone (`fe80::1%eth0`) are left out.
    public let nameservers: [IPAddress]

    /// Reads the text of a resolv.conf.
    public init(text: String) {
        nameservers = text.split(whereSeparator: \.isNewline).compactMap { line in
            let words = line.split(whereSeparator: \.isWhitespace)
            guard words.count >= 2, words[0] == "nameserver" else { return nil }
            return IPAddress(String(words[1]))
        }
    }

    /// The servers of this machine; a missing file lists none.
    ///
    /// They are those of `path`, or, where that names only a stub on the loopback, of the file that lists the servers
    /// behind the stub.
    public static func hostNameservers(
        path: String = "/etc/resolv.conf", behindStub: String = "/run/systemd/resolve/resolv.conf"
    ) -> [IPAddress] {
        let servers = nameservers(path)
        guard servers.allSatisfy(\.isLoopback) else { return servers }
        let behind = nameservers(behindStub)
        return behind.isEmpty ? servers : behind
    }

    private static func nameservers(_ path: String) -> [IPAddress] {
        guard let text = try? FileSystem.readText(path) else { return [] }
        return ResolverConfiguration(text: text).nameservers
    }
}
