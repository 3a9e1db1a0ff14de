import HTTPTypes
import HummingbirdCore
import JSON
import KubernetesAPI
import NIOCore

extension Response {
    /// An answer from JSON text.
    static func json(_ bytes: [UInt8], status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json", .cacheControl: "no-cache, private"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// An answer from a tree, in the syntax that the client prefers.
    static func value(_ value: JSONValue, _ format: OutputFormat = .json, status: HTTPResponse.Status = .ok) -> Response
    {
        let bytes: [UInt8]
        switch format.encoding {
        case .json: return .json(value.serialized(), status: status)
        case .prettyJSON: return .json(Array((value.text(pretty: true) + "\n").utf8), status: status)
        case .yaml: bytes = Array(YAMLText.write(value).utf8)
        case .protobuf:
            // What has no binary form is not negotiated to be written in it; clients read JSON by its media type.
            guard let body = ProtobufBody.encode(value) else { return .json(value.serialized(), status: status) }
            bytes = body
        }
        return Response(
            status: status, headers: [.contentType: format.encoding.mediaType, .cacheControl: "no-cache, private"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// Plain text.
    static func text(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    /// A refusal.
    static func failure(_ error: StatusError, _ encoding: OutputFormat.Encoding = .json) -> Response {
        var response = Response.value(
            error.status, OutputFormat(encoding: encoding), status: .init(code: error.code))
        if let seconds = error.details?.retryAfterSeconds {
            response.headers[.retryAfter] = String(seconds)
        }
        return response
    }

    /// The answer to HEAD instead of GET: everything but the body (RFC 9110 §9.3.2).
    var withoutBody: Response {
        var response = self
        let length = headers[.contentLength]
        response.body = ResponseBody()
        response.headers[.contentLength] = length
        return response
    }

    /// The answer with a `Warning` header for each text.
    func warning(_ sink: WarningSink) -> Response {
        var response = self
        for text in sink.all {
            let quoted = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            response.headers.append(HTTPField(name: .warning, value: "299 - \"\(quoted)\""))
        }
        return response
    }
}

extension HTTPField.Name {
    /// `Warning` (RFC 7234 §5.5).
    static var warning: HTTPField.Name { HTTPField.Name("Warning") ?? .age }
}
