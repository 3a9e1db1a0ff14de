import KubernetesAPI
import Synchronization

/// The newest events as they were sent to watchers, so that an event is put into each form once and not for each watcher.
final class WatchFrames: Sendable {
    /// Bytes that are kept: what watchers that keep up are sent within a moment.
    private static let limit = 4 << 20

    /// What watchers have in common whose events look alike.
    struct Form: Hashable, Sendable {
        /// Where the objects are served.
        let resource: Resource
        /// Whether they are in the binary form.
        let isBinary: Bool
        /// How much of an object is shown.
        let shape: OutputFormat.Shape
    }

    /// What tells frames apart; a revision belongs to one object.
    struct Key: Hashable, Sendable {
        let form: Form
        let type: String
        let revision: Int64
    }

    private struct Frames: Sendable {
        var bytes: [Key: [UInt8]] = [:]
        var order = ArrayQueue<Key>()
        var total = 0
    }

    private let frames = Mutex(Frames())

    /// The frame of a key, made by `make` unless that was done before.
    func frame(_ key: Key, _ make: () -> [UInt8]) -> [UInt8] {
        if let known = frames.withLock({ $0.bytes[key] }) { return known }
        // Others wait for nothing: at worst each thread makes it once.
        let frame = make()
        frames.withLock { frames in
            guard frames.bytes.updateValue(frame, forKey: key) == nil else { return }
            frames.order.append(key)
            frames.total += frame.count
            while frames.total > Self.limit, let oldest = frames.order.first {
                frames.order.removeFirst()
                frames.total -= frames.bytes.removeValue(forKey: oldest)?.count ?? 0
            }
        }
        return frame
    }
}
