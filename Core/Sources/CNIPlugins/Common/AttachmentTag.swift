import CNI

/// The text that marks what the kernel keeps for an attachment of a container to a network.
struct AttachmentTag: Hashable {
    /// The text, in a length that nftables stores.
    let comment: String
    private let key: String

    /// The tag of the attachment that a request concerns.
    init(_ request: CNIRequest) {
        comment = Masquerade.comment(network: request.network, request.attachment)
        key = String(comment.prefix { $0 != "," })
    }

    /// Whether a text is this attachment's.
    func owns(_ comment: String) -> Bool { comment.hasPrefix(key) }

    /// Tells of texts whether they belong to attachments of the request's network that are gone.
    static func isObsolete(_ request: CNIRequest) throws -> (String) -> Bool {
        let valid = try request.configuration.validAttachments().map { Masquerade.key(network: request.network, $0) }
        let prefix = Masquerade.prefix(network: request.network)
        return { comment in comment.hasPrefix(prefix) && !valid.contains { comment.hasPrefix($0) } }
    }
}
