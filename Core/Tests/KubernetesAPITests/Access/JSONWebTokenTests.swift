import JSON
import KubernetesAPI
import TestSupport
import Testing

@Suite("Tokens")
struct JSONWebTokenTests {
    @Test("A token is read as it was written")
    func roundTrip() throws {
        let claims: JSONValue = ["sub": "system:serviceaccount:a:b", "aud": ["x"], "exp": 1_700_000_000]
        let text = JSONWebToken.signedText(keyID: "k", claims: claims)
        let token = try #require(JSONWebToken(text + "." + Base64.encodeURL([1, 2, 3])))
        #expect(token.claims == claims)
        #expect(token.algorithm == "ES256")
        #expect(token.keyID == "k")
        #expect(token.signedBytes == Array(text.utf8))
        #expect(token.signature == [1, 2, 3])
    }

    @Test("The example of RFC 7515, appendix A.3, is read")
    func example() throws {
        let token = try #require(
            JSONWebToken(
                "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19"
                    + "yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
            ))
        #expect(token.algorithm == "ES256")
        #expect(token.claims["iss"] == "joe")
        #expect(token.signature.count == 64)
    }

    @Test(
        "Other text is none",
        arguments: [
            "", ".", "..", "a.b", "a.b.c.d", "e30.e30.", "e30.e30.AQ", "eyJhbGciOiJFUzI1NiJ9.W10.AQ",
            "eyJhbGciOiJFUzI1NiJ9.e30.A", "eyJhbGciOiJFUzI1NiJ9.e30.AR", "eyJhbGciOiJFUzI1NiJ9.e30.A=",
            "eyJhbGciOiJFUzI1NiIsImNyaXQiOlsieCJdfQ.e30.AQ", String(repeating: "a", count: 100_000),
        ])
    func malformed(text: String) {
        #expect(JSONWebToken(text) == nil)
    }

    @Test("Damaged tokens are refused or differ, and none crashes")
    func damage() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        let good =
            JSONWebToken.signedText(keyID: "k", claims: ["sub": "a", "exp": 1]) + "." + Base64.encodeURL([9, 8, 7])
        for _ in 0..<20_000 {
            var bytes = Array(good.utf8)
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: place)
                default: bytes.insert(UInt8.random(in: 32...126, using: &random), at: place)
                }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            guard text != good, let token = JSONWebToken(text) else { continue }
            // What is signed is the text itself, so a change is either in it or in the signature.
            let isChanged =
                token.signedBytes != Array(good.utf8.prefix(token.signedBytes.count)) || token.signature != [9, 8, 7]
            #expect(isChanged, "seed \(seed): \(text)")
        }
    }

    @Test(
        "Text without padding and bytes correspond",
        arguments: [[], [0], [255, 254], [1, 2, 3], [251, 255, 191, 0]] as [[UInt8]])
    func base64(bytes: [UInt8]) {
        let text = Base64.encodeURL(bytes)
        #expect(!text.contains("="))
        #expect(Base64.decodeURL(text.utf8) == bytes)
    }
}
