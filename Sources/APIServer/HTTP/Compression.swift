import HTTPTypes
import HummingbirdCore
import NIOCore

extension Response {
    /// Bytes from which on a body is worth compressing, as in Kubernetes.
    private static let threshold = 128 << 10

    /// The answer with its body as gzip (RFC 1952), if it is long and the client takes it.
    func compressed(for request: Request) -> Response {
        guard let length = body.contentLength, length > Self.threshold, headers[.contentEncoding] == nil,
            Self.takesGzip(request.headers[values: .acceptEncoding])
        else { return self }
        let body = body
        var response = self
        // It takes a while, in which the thread of the connection has others to serve.
        response.body = ResponseBody { writer in
            let base = writer
            try await withTaskExecutorPreference(globalConcurrentExecutor) {
                try await body.write(GzipWriter(base))
            }
        }
        response.headers[.contentEncoding] = "gzip"
        response.headers.append(HTTPField(name: .vary, value: "Accept-Encoding"))
        return response
    }

    /// Whether an `Accept-Encoding` header (RFC 9110 §12.5.3) names gzip and does not forbid it.
    private static func takesGzip(_ values: [String]) -> Bool {
        values.flatMap { MediaRange.list($0) }.contains { $0.type == "gzip" }
    }
}

/// Compresses what is written to it.
private struct GzipWriter: ResponseBodyWriter {
    private var base: any ResponseBodyWriter
    private let stream = GzipStream()

    init(_ base: any ResponseBodyWriter) {
        self.base = base
    }

    @concurrent
    mutating func write(_ buffer: ByteBuffer) async throws {
        let output = stream.compress(buffer)
        if output.readableBytes > 0 {
            try await base.write(output)
        }
    }

    @concurrent
    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {
        try await base.write(stream.finish())
        try await base.finish(trailingHeaders)
    }
}
