public import Addresses

/// A session, as an operator sees it.
public struct SessionRecord: Hashable, Sendable {
    /// The protocol.
    public let kind: SessionKind
    /// The client's address.
    public let client: IPv6Address
    /// The client's port, or the identifier of its echo requests.
    public let clientPort: UInt16
    /// The public address that stands for the client.
    public let publicAddress: IPv4Address
    /// The public port.
    public let publicPort: UInt16
    /// The IPv4 host.
    public let remote: IPv4Address
    /// The IPv4 host's port; the client's identifier for echo requests.
    public let remotePort: UInt16
    /// How far a TCP session is; nil for other protocols.
    public let state: TCPSessionState?
    /// The second in which the session ends if no packet comes.
    public let expires: UInt32
}

/// A client, as an operator sees it.
public struct ClientRecord: Hashable, Sendable {
    /// The client's address, without the bits that do not tell clients apart.
    public let client: IPv6Address
    /// The public address of its ports.
    public let publicAddress: IPv4Address
    /// The public ports that it holds.
    public let ports: Int
    /// Its sessions.
    public let sessions: Int
}

extension NAT64 {
    /// Shows every client that holds a public port, in no order.
    ///
    /// - Complexity: O(n) in the clients that there have been at once.
    public func forEachClient(_ body: (ClientRecord) -> Void) {
        guard table.clients.used > 0 else { return }
        for number in 1...table.clients.used {
            let client = table.clients[number]
            // One that holds nothing is forgotten at once, so that its place is free.
            guard client.mappings > 0 else { continue }
            body(
                ClientRecord(
                    client: IPv6Address(rawValue: client.address),
                    publicAddress: table.pool[Int(client.publicAddress)], ports: Int(client.mappings),
                    sessions: Int(client.sessions)))
        }
    }

    /// The sessions that there are.
    public var sessionCount: Int { table.sessions.count }

    /// The public ports that clients hold.
    public var mappingCount: Int { table.mappings.count }

    /// The clients that hold any.
    public var clientCount: Int { table.clients.count }

    /// Shows every session, in no order.
    ///
    /// - Complexity: O(n) in the sessions that there have been at once.
    public func forEachSession(_ body: (SessionRecord) -> Void) {
        guard table.sessions.used > 0 else { return }
        for number in 1...table.sessions.used {
            let session = table.sessions[number]
            guard session.state != Session.freed else { continue }
            let mapping = table.mappings[session.mapping]
            body(
                SessionRecord(
                    kind: mapping.kind, client: IPv6Address(rawValue: mapping.address), clientPort: mapping.port,
                    publicAddress: table.pool[Int(mapping.publicAddress)], publicPort: mapping.publicPort,
                    remote: IPv4Address(rawValue: session.remote), remotePort: session.remotePort,
                    state: TCPSessionState(rawValue: session.state), expires: session.expires))
        }
    }
}
