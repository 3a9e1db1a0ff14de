import Addresses
import DNSMessage

extension Upstream: CustomStringConvertible {
    /// Reads an address, with a port where it is not the usual one (`192.0.2.1:5353`, `[2001:db8::1]:5353`); a server that
    /// is asked over TLS is `tls://ADDRESS#NAME`, by the name that its certificate bears.
    public init?(text: String) {
        var rest = text[...]
        var name: String?
        if rest.hasPrefix("tls://") {
            let parts = rest.dropFirst(6).split(separator: "#", omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[1].isEmpty else { return nil }
            rest = parts[0]
            name = String(parts[1])
        }
        if let address = IPAddress(String(rest)) {
            self.init(address, tlsName: name)
            return
        }
        guard let colon = rest.lastIndex(of: ":"), let port = UInt16(rest[rest.index(after: colon)...]), port > 0 else {
            return nil
        }
        var host = rest[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard let address = IPAddress(String(host)), host.count != rest[..<colon].count || address.family == .ipv4
        else {
            return nil
        }
        self.init(address, port: port, tlsName: name)
    }

    /// The form that is read.
    public var description: String {
        let host = address.family == .ipv4 ? "\(address)" : "[\(address)]"
        return tlsName.map { "tls://\(host):\(port)#\($0)" } ?? "\(host):\(port)"
    }
}

extension ForwardRule {
    /// Reads a domain and its servers: `corp.example=192.0.2.1,2001:db8::1`.
    public init?(text: String) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let domain = DNSName(String(parts[0])) else { return nil }
        let servers = parts[1].split(separator: ",", omittingEmptySubsequences: false).map {
            Upstream(text: String($0))
        }
        guard !servers.contains(nil) else { return nil }
        self.init(domain: domain, upstreams: servers.compactMap(\.self))
    }
}
