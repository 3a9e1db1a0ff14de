/// Why a WebSocket ends before everything has been said.
struct WebSocketFailure: Sendable {
    /// Bytes that a close frame has room for besides its code (RFC 6455 §5.5).
    private static let limit = 123

    /// A sentence for people, short enough for a close frame.
    let reason: String

    /// Takes a text of any length; what is too much is cut off between two characters.
    init(_ text: String) {
        var reason = ""
        var count = 0
        for character in text {
            count += character.utf8.count
            guard count <= Self.limit else { break }
            reason.append(character)
        }
        self.reason = reason
    }
}
