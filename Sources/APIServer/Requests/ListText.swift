import HTTPTypes
import HummingbirdCore
import JSON
import KubernetesAPI
import NIOCore

/// A list as JSON text, made of the stored texts of its items without their first two members.
struct ListText: Sendable {
    /// Bytes that are put together at a time.
    private static let portion = 64 << 10

    private let objects: [StoredObject]
    private let head: String
    /// Bytes that an item leaves out; `inOrder` lets every stored text of the resource begin with the same members.
    private let skipped: Int
    /// The length of the whole text.
    let count: Int

    init(_ objects: [StoredObject], _ metadata: JSONValue, _ resource: Resource) {
        self.objects = objects
        head =
            "{\"kind\":\"\(resource.kind)List\",\"apiVersion\":\"\(resource.apiVersion)\",\"metadata\":"
            + metadata.text() + ",\"items\":["
        skipped = "{\"apiVersion\":\"\(resource.apiVersion)\",\"kind\":\"\(resource.kind)\",".utf8.count
        // An item gets a brace and, but for the first, a comma; the list is closed by two bytes.
        count = objects.reduce(head.utf8.count + 2 + max(0, objects.count - 1)) { [skipped] in
            $0 + $1.text.count - skipped + 1
        }
    }

    /// The whole text.
    var buffer: ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: count)
        var position = 0
        append(to: &buffer, from: &position, limit: count)
        return buffer
    }

    /// Writes the text portion by portion, so that a long list is never in memory as a whole.
    @concurrent
    func write(to writer: inout any ResponseBodyWriter) async throws {
        var position = 0
        while position < objects.count {
            // The next item may go beyond the portion, by little as a rule.
            var buffer = ByteBufferAllocator().buffer(capacity: Self.portion + Self.portion / 4)
            append(to: &buffer, from: &position, limit: Self.portion)
            try await writer.write(buffer)
        }
        try await writer.finish(nil)
    }

    /// Whether the text is worth writing in portions.
    var isLong: Bool { count > Self.portion && !objects.isEmpty }

    /// Appends items until there are so many bytes, the head before the first and the end after the last of them.
    private func append(to buffer: inout ByteBuffer, from position: inout Int, limit: Int) {
        if position == 0 {
            buffer.writeString(head)
        }
        while position < objects.count, buffer.readableBytes < limit {
            if position > 0 {
                buffer.writeInteger(UInt8(ascii: ","))
            }
            buffer.writeInteger(UInt8(ascii: "{"))
            buffer.writeBytes(objects[position].text[skipped...])
            position += 1
        }
        if position == objects.count {
            buffer.writeStaticString("]}")
        }
    }
}

extension Response {
    /// An answer from the text of a list.
    static func list(_ text: ListText) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-cache, private"],
            body: text.isLong
                ? ResponseBody(contentLength: text.count) { try await text.write(to: &$0) }
                : ResponseBody(byteBuffer: text.buffer))
    }
}
