import KubernetesAPI
import PodRuntime
import Testing

@Suite struct TokenCacheTests {
    private struct Unreachable: Error {}

    private static let key = TokenCache.Key(pod: "uid", audience: "", seconds: 3607)

    private static func entry(_ text: String, at second: Int64) -> TokenCache.Entry {
        TokenCache.Entry(
            token: text, expires: Timestamp(seconds: second + 3600), at: Timestamp(seconds: second))
    }

    @Test func `a token is renewed before it ends`() async throws {
        let cache = TokenCache()
        let steps: [(second: Int64, expected: String)] = [
            (0, "0"), (2_879, "0"), (2_880, "2880"), (5_759, "2880"), (5_760, "5760"),
        ]
        for step in steps {
            let token = try await cache.token(Self.key, at: Timestamp(seconds: step.second)) {
                Self.entry("\(step.second)", at: step.second)
            }
            #expect(token == step.expected)
        }
    }

    @Test func `an old token serves while no new one can be had`() async throws {
        let cache = TokenCache()
        _ = try await cache.token(Self.key, at: Timestamp(seconds: 0)) { Self.entry("old", at: 0) }
        #expect(try await cache.token(Self.key, at: Timestamp(seconds: 3_000)) { throw Unreachable() } == "old")
        await #expect(throws: Unreachable.self) {
            _ = try await cache.token(Self.key, at: Timestamp(seconds: 3_600)) { throw Unreachable() }
        }
    }

    @Test func `a pod that goes takes its tokens along`() async throws {
        let cache = TokenCache()
        _ = try await cache.token(Self.key, at: Timestamp(seconds: 0)) { Self.entry("old", at: 0) }
        cache.remove(pod: "uid")
        #expect(try await cache.token(Self.key, at: Timestamp(seconds: 1)) { Self.entry("new", at: 1) } == "new")
    }
}
