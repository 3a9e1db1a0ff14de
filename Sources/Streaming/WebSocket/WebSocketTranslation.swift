import KubernetesAPI
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

    /// True when messages to the client are text; otherwise they are binary.
    var writesText: Bool { get }

    /// True when nothing more is to be said to the client, whether or not the backend has ended.
    var isComplete: Bool { get }
}

extension WebSocketTranslation {
    package var writesText: Bool { false }
    package var isComplete: Bool { false }
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

/// Passes a backend's bytes on as text, each message in Base64 of its own, for clients that cannot read others.
package struct Base64Translation: WebSocketTranslation {
    /// Translates into Base64.
    package init() {}

    package mutating func opening() -> ByteBuffer { ByteBuffer() }

    package var acceptsInput: Bool { true }

    package mutating func received(_ payload: ByteBuffer, startsMessage: Bool) -> ByteBuffer { ByteBuffer() }

    package mutating func sent(_ bytes: ByteBuffer) -> WebSocketTranslated {
        WebSocketTranslated(messages: [ByteBuffer(string: Base64.encode([UInt8](buffer: bytes)[...]))])
    }

    package mutating func ended() -> [ByteBuffer] { [] }

    package var writesText: Bool { true }
}
