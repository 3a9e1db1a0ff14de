import Crypto
import HTTPTypes
import HummingbirdCore
import NIOCore

/// A document that does not change while the server runs, with a hash by which clients know it again.
struct TaggedDocument: Sendable {
    /// The text.
    let bytes: [UInt8]
    /// The media type.
    let type: String
    /// The first half of the SHA-256 of the text, in hexadecimal digits.
    let hash: String

    /// Hashes a document.
    init(_ bytes: [UInt8], type: String) {
        self.bytes = bytes
        self.type = type
        hash = SHA256.hash(data: bytes).prefix(16).map { byte in
            String(byte >> 4, radix: 16, uppercase: true) + String(byte & 15, radix: 16, uppercase: true)
        }.joined()
    }

    /// The document, or 304 for a client that has it.
    ///
    /// - Parameter caching: The value of `Cache-Control`.
    func answer(_ request: Request, caching: String = "public") -> Response {
        let tag = "\"\(hash)\""
        var headers: HTTPFields = [.eTag: tag, .cacheControl: caching, .vary: "Accept"]
        let known = request.headers[values: .ifNoneMatch].flatMap { $0.split(separator: ",") }
        if known.contains(where: { $0.trimmingPrefix(while: { $0 == " " }).trimmingPrefix("W/") == tag }) {
            return Response(status: .notModified, headers: headers)
        }
        headers[.contentType] = type
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
