package import NIOCore

/// What a client's WebSocket messages mean to a backend, and the reverse: values in, values out.
package protocol WebSocketTranslation: Sendable {
    /// What the backend gets before anything else.
    mutating func opening() -> ByteBuffer

    /// True when the backend is ready for what the client sends.
    var acceptsInput: Bool { get }

    /// Translates a client's frame into bytes for the backend.
    ///
    /// - Parameter startsMessage: False for the second and later frames of a message.
    mutating func received(_ payload: ByteBuffer, startsMessage: Bool) throws -> ByteBuffer

    /// Translates bytes of the backend.
    mutating func sent(_ bytes: ByteBuffer) throws -> WebSocketTranslated

    /// Last messages when the backend has ended.
    mutating func ended() -> [ByteBuffer]
}

/// What becomes of a backend's bytes.
package struct WebSocketTranslated: Sendable, Equatable {
    /// Payloads of messages to the client.
    package var messages: [ByteBuffer] = []
    /// Bytes that the backend gets in return.
    package var reply = ByteBuffer()

    /// Collects nothing yet.
    package init(messages: [ByteBuffer] = []) {
        self.messages = messages
    }
}

/// Passes a backend's bytes on in messages and a client's messages in bytes, whatever they are.
package struct PlainTranslation: WebSocketTranslation {
    /// Translates nothing.
    package init() {}

    package mutating func opening() -> ByteBuffer { ByteBuffer() }

    package var acceptsInput: Bool { true }

    package mutating func received(_ payload: ByteBuffer, startsMessage: Bool) -> ByteBuffer { payload }

    package mutating func sent(_ bytes: ByteBuffer) -> WebSocketTranslated { WebSocketTranslated(messages: [bytes]) }

    package mutating func ended() -> [ByteBuffer] { [] }
}
