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
        let start = ContinuousClock.now
        var deadlines = ExpiryDeadlines(age: age)
        repeat {
            do {
                let elapsed = start.duration(to: .now).components.seconds
                try await expire(&deadlines, now: Timestamp.now.seconds, elapsed: elapsed)
            } catch {
                logger.warning("cannot remove expired objects", metadata: ["error": "\(error)"])
            }
        } while (try? await Task.sleep(for: interval)) != nil
    }

    /// Removes what has expired at a moment.
    ///
    /// - Parameters:
    ///   - now: Seconds since 1970, by a clock that may jump.
    ///   - elapsed: Seconds by one that does not.
    package func expire(_ deadlines: inout ExpiryDeadlines, now: Int64, elapsed: Int64) async throws {
        let resource = resource
        var expired = deadlines.expired(in: store.snapshot(resource).tree, now: now, elapsed: elapsed)
        while !expired.isEmpty {
            let due = Array(expired.suffix(Self.batch))
            expired.removeLast(due.count)
            try await store.write { transaction throws(StatusError) in
                for object in due {
                    // It may have been written anew in the meantime.
                    guard let present = transaction.object(resource, object.key), present.revision == object.revision
                    else { continue }
                    _ = transaction.remove(present.value, resource, object.key)
                }
            }
        }
    }
}

/// Until when objects live, whatever the machine's clock does in the meantime.
///
/// How old an object is that was there before the server started can be told by the machine's clock alone, which may have jumped:
/// it lives no longer than a new one. From then on a clock that does not jump counts.
package struct ExpiryDeadlines: Sendable {
    private let age: Int64
    private var deadlines: [ObjectKey: (revision: Int64, due: Int64)]?

    /// Starts without any.
    ///
    /// - Parameter age: Seconds after the last write.
    package init(age: Int64) {
        self.age = age
    }

    /// The objects whose time is over.
    ///
    /// - Parameters:
    ///   - now: Seconds since 1970, by a clock that may jump.
    ///   - elapsed: Seconds by one that does not.
    package mutating func expired(in tree: ObjectTree, now: Int64, elapsed: Int64) -> [StoredObject] {
        var next: [ObjectKey: (revision: Int64, due: Int64)] = [:]
        var expired: [StoredObject] = []
        tree.forEach { object in
            let due: Int64
            if let known = deadlines?[object.key], known.revision == object.revision {
                due = known.due
            } else {
                let left = deadlines == nil ? min(max(object.written + age - now, 0), age) : age
                due = elapsed + left
            }
            if due <= elapsed {
                expired.append(object)
            } else {
                next[object.key] = (object.revision, due)
            }
            return true
        }
        deadlines = next
        return expired
    }
}
