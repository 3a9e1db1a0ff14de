/// A dictionary in 256 parts, so that changing a table whose copy is read elsewhere copies one part only.
struct ShardedTable<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private var shards: [[Key: Value]] = Array(repeating: [:], count: 256)

    private static func shard(_ key: Key) -> Int { key.hashValue & 0xFF }

    subscript(key: Key) -> Value? {
        get { shards[Self.shard(key)][key] }
        set { shards[Self.shard(key)][key] = newValue }
    }

    /// The value of a key for changes in place; a missing one starts as `defaultValue`.
    subscript(key: Key, default defaultValue: @autoclosure () -> Value) -> Value {
        get { shards[Self.shard(key)][key] ?? defaultValue() }
        _modify { yield &shards[Self.shard(key)][key, default: defaultValue()] }
    }

    /// The number of keys.
    var count: Int { shards.reduce(0) { $0 + $1.count } }
}
