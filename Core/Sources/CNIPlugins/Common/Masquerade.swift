import Addresses
import CNI
import JSON
import NFTables

/// The rules that give the host's address to what leaves a pod's subnet (`ipMasq`).
///
/// They live in the nftables table of the reference plugins, one rule for each address of an attachment, which a
/// comment ties to it; so either implementation removes what the other added.
enum Masquerade {
    /// Whether a configuration asks for it.
    ///
    /// The same rules serve a configuration that says `"ipMasqBackend": "iptables"`: packets are masqueraded alike, and
    /// iptables need not be there. Errors: another backend, with the reference plugin's text.
    static func isWanted(_ json: JSONValue) throws(CNIError) -> Bool {
        let isWanted = try json.flag("ipMasq")
        let backend = try json.word("ipMasqBackend")
        guard !isWanted || ["", "nftables", "iptables"].contains(backend) else {
            throw CNIError("unknown ipmasq backend \"\(backend)\"")
        }
        return isWanted
    }

    /// Adds the rules of an attachment, with the table where it is missing.
    static func add(_ request: CNIRequest, _ addresses: [InterfaceAddress]) throws {
        var socket = try NFTablesSocket()
        try socket.commit(addition(of: addresses, comment: comment(network: request.network, request.attachment)))
        chain(network: request.network, containerID: request.containerID)
            .leavePlaceholder(IPFamily.allCases.filter { family in addresses.contains { $0.address.family == family } })
    }

    /// Removes the rules of an attachment, and the chain that the reference plugin may have made for it with iptables;
    /// none is no error.
    static func remove(_ request: CNIRequest) throws {
        let key = key(network: request.network, request.attachment)
        _ = try removeRules { $0.hasPrefix(key) }
        try chain(network: request.network, containerID: request.containerID).remove()
    }

    /// Removes the rules of a network's attachments that are not valid.
    static func collectGarbage(_ request: CNIRequest) throws {
        let valid = try request.configuration.validAttachments().map { key(network: request.network, $0) }
        let prefix = prefix(network: request.network)
        let removed = try removeRules { comment in
            comment.hasPrefix(prefix) && !valid.contains { comment.hasPrefix($0) }
        }
        // A comment ends with the container's identifier, unless that was too long to be stored.
        for comment in Set(removed) where comment.utf8.count < maximumCommentLength {
            guard let identifier = comment.split(separator: " ").last else { continue }
            try chain(network: request.network, containerID: String(identifier)).remove()
        }
    }

    /// Removes the rules whose comment is obsolete; returns these comments.
    private static func removeRules(where isObsolete: (String) -> Bool) throws -> [String] {
        var socket = try NFTablesSocket()
        let rules = try socket.rules(of: table, chain: checks).filter { isObsolete($0.comment ?? "") }
        try socket.commit(Transaction(rules.map { .deleteRule(table, chain: checks, handle: $0.handle) }))
        return rules.compactMap(\.comment)
    }

    /// The chain by which the reference plugin with iptables finds an attachment's rules.
    private static func chain(network: String, containerID: String) -> IPTablesChain {
        IPTablesChain(name: "CNI-" + SHA512.hexadecimal(network + containerID, count: 24))
    }

    private static let maximumCommentLength = 127

    /// The comment on the rules of an attachment, in a length that nftables stores.
    static func comment(network: String, _ attachment: NetworkConfiguration.Attachment) -> String {
        let key = key(network: network, attachment)
        let text = "\(key), net: \(network), if: \(attachment.interfaceName), id: \(attachment.containerID)"
        return String(decoding: text.utf8.prefix(maximumCommentLength), as: UTF8.self)
    }

    /// What the comments of an attachment's rules begin with.
    static func key(network: String, _ attachment: NetworkConfiguration.Attachment) -> String {
        prefix(network: network)
            + SHA512.hexadecimal("\(attachment.interfaceName):\(attachment.containerID)", count: 16)
    }

    /// What the comments of a network's rules begin with.
    static func prefix(network: String) -> String { SHA512.hexadecimal(network, count: 16) + "-" }
}

extension CNIRequest {
    var network: String { configuration.name }

    var attachment: NetworkConfiguration.Attachment {
        NetworkConfiguration.Attachment(containerID: containerID, interfaceName: interfaceName)
    }
}
