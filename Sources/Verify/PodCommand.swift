package import Addresses

/// The commands that ask for an answer from inside a container, for the busybox that it holds.
///
/// A node runs a command given as one line that it splits at spaces, so no argument may hold one.
package enum PodCommand {
    /// A line that succeeds when `address` answers.
    package static func request(_ request: Probe.Request, to address: IPAddress, port: UInt16, timeout: Int) -> String {
        switch request {
        case .http: "timeout \(timeout) wget -q -O - http://\(address.uriHost):\(port)/"
        case .connection: "timeout \(timeout) nc -w \(timeout) \(address) \(port) -e /bin/true"
        case .query(let name): lookUp(name, address.family, server: address, timeout: timeout)
        }
    }

    /// A line that prints the addresses of a name, asking `server` or else the resolver of the container.
    package static func lookUp(_ name: String, _ family: IPFamily, server: IPAddress? = nil, timeout: Int) -> String {
        let type =
            switch family {
            case .ipv4: "a"
            case .ipv6: "aaaa"
            }
        // The final dot keeps the search domains out.
        return "timeout \(timeout) nslookup -type=\(type) \(name).\(server.map { " \($0)" } ?? "")"
    }

    /// The addresses in what `nslookup` printed: those that follow a name, not that of the server.
    package static func addresses(inLookUp output: String) -> Set<IPAddress> {
        var found: Set<IPAddress> = []
        var followsName = false
        for line in output.split(whereSeparator: \.isNewline) {
            if line.hasPrefix("Name:") {
                followsName = true
            } else if followsName, line.hasPrefix("Address"), let colon = line.firstIndex(of: ":") {
                let text = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
                if let address = IPAddress(String(text)) { found.insert(address) }
            }
        }
        return found
    }
}
