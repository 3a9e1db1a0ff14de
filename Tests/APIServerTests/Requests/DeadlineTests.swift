import AsyncHTTPClient
import JSON
import NIOCore
import Testing

@Suite("Time-outs that clients ask for", .serialized)
struct DeadlineTests {
    private static let maps = "/api/v1/namespaces/default/configmaps"

    @Test("A request that takes longer than its time-out ends with 504, and changes nothing")
    func writes() async throws {
        try await ServerHarness.run { server in
            // The body stays away.
            let (body, feed) = AsyncStream.makeStream(of: ByteBuffer.self)
            feed.yield(ByteBuffer(string: #"{"apiVersion": "v1", "kind": "ConfigMap", "#))
            let answer = try await server.send("POST", Self.maps + "?timeout=300ms", streaming: body)
            #expect(answer.code == 504, "\(answer.text)")
            #expect(answer.json["reason"] == "Timeout")
            #expect(
                answer.json["message"]
                    == "Timeout: request did not complete within requested timeout - context deadline exceeded")
            feed.finish()
            #expect(try await server.send("GET", Self.maps).json["items"] == [])
        }
    }

    @Test("Times that allow for the work do not show, and those that make no sense are refused")
    func texts() async throws {
        try await ServerHarness.run { server in
            for text in ["0", "", "34s", "1h", "-3s"] {
                #expect(try await server.send("GET", Self.maps + "?timeout=" + text).code == 200, "\(text)")
                let object: JSONValue = ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["generateName": "t"]]
                #expect(try await server.send("POST", Self.maps + "?timeout=" + text, object).code == 201, "\(text)")
            }
            let refused = try await server.send("GET", Self.maps + "?timeout=soon")
            #expect(refused.code == 400)
            #expect(
                refused.json["message"]
                    == #"invalid timeout specified in the request URL - time: invalid duration "soon""#)
            let watch = try await server.send("GET", Self.maps + "?watch=true&timeoutSeconds=1&timeout=1ms")
            #expect(watch.code == 200, "A watch lasts as long as its own time-out says")
        }
    }
}
