package import KubernetesAPI
package import Logging

/// Removes objects of one resource, such as Events, once nobody has written them for a time.
package struct ObjectExpiry: Sendable {
    /// Objects that one write removes, so that other writers never wait long.
    private static let batch = 500

    private let store: Store
    private let resource: Int
    /// Seconds after the last write.
    private let age: Int64
    private let logger: Logger

    /// Expires the objects of a resource; nil when there is no such resource, or nothing shall expire.
    package init?(_ store: Store, _ resource: Resource, seconds: Int, logger: Logger) {
        guard let index = store.index(of: resource), seconds > 0 else { return nil }
        self.store = store
        self.resource = index
        age = Int64(seconds)
        self.logger = logger
    }

    /// Looks for expired objects now and then until the task is cancelled.
    package func run() async {
        let interval = Duration.seconds(max(1, min(60, age / 10)))
        while (try? await Task.sleep(for: interval)) != nil {
            do {
                try await expire(now: Timestamp.now.seconds)
            } catch {
                logger.warning("cannot remove expired objects", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Removes what has expired at a moment.
    package func expire(now: Int64) async throws {
        let (resource, age) = (resource, age)
        var keys: [ObjectKey] = []
        store.snapshot(resource).tree.forEach { object in
            if object.written + age <= now {
                keys.append(object.key)
            }
            return true
        }
        while !keys.isEmpty {
            let due = Array(keys.suffix(Self.batch))
            keys.removeLast(due.count)
            try await store.write { transaction throws(StatusError) in
                for key in due {
                    // It may have been written anew in the meantime.
                    guard let object = transaction.object(resource, key), object.written + age <= now else { continue }
                    _ = transaction.remove(object.value, resource, key)
                }
            }
        }
    }
}
