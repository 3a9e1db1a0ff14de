package import KubernetesAPI
import Synchronization

/// The tokens of the pods of a node, each asked for again when four fifths of its time, or a day, have passed.
package final class TokenCache: Sendable {
    /// Which token is meant.
    package struct Key: Sendable, Hashable {
        /// The uid of the pod.
        package let pod: String
        /// For whom it is; empty for the API itself.
        package let audience: String
        /// How long it shall be good.
        package let seconds: Int

        /// Names a token.
        package init(pod: String, audience: String, seconds: Int) {
            self.pod = pod
            self.audience = audience
            self.seconds = seconds
        }
    }

    /// A token and its time.
    package struct Entry: Sendable, Hashable {
        /// The text.
        package let token: String
        /// When it is to be replaced, in seconds since 1970.
        package let renewal: Int64
        /// When it ends, in seconds since 1970.
        package let end: Int64

        /// A token issued now.
        package init(token: String, expires: Timestamp, at now: Timestamp) {
            self.token = token
            end = expires.seconds
            renewal = now.seconds + min((expires.seconds - now.seconds) * 4 / 5, 86_400)
        }
    }

    private let entries = Mutex<[Key: Entry]>([:])

    /// No tokens.
    package init() {}

    /// The token, asked for when there is none or its time to be replaced has come; an old one that is still good stands
    /// in when no new one can be had.
    package func token(
        _ key: Key, at now: Timestamp, _ issue: () async throws -> Entry
    ) async throws -> String {
        let old = entries.withLock { $0[key] }
        if let old, now.seconds < old.renewal { return old.token }
        do {
            let entry = try await issue()
            entries.withLock { $0[key] = entry }
            return entry.token
        } catch {
            guard let old, now.seconds < old.end else { throw error }
            return old.token
        }
    }

    /// Forgets the tokens of a pod.
    package func remove(pod: String) {
        entries.withLock { entries in
            for key in entries.keys where key.pod == pod { entries[key] = nil }
        }
    }
}
