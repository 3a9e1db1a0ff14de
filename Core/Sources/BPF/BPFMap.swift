public import Linux

/// The owner of a map in the kernel, with keys and values of fixed layout.
///
/// The map itself lives until its last descriptor, program and pin are gone. Padding counts as part of a key, so key
/// types should have none.
public struct BPFMap<Key: BitwiseCopyable & Sendable, Value: BitwiseCopyable & Sendable>: ~Copyable, Sendable {
    @usableFromInline let raw: RawMap

    /// Takes ownership of a map's descriptor; throws when keys or values are of another size.
    public init(owning descriptor: consuming FileDescriptor) throws(BPFError) {
        let raw = try RawMap(owning: descriptor)
        guard raw.keySize == MemoryLayout<Key>.size, raw.valueSize == MemoryLayout<Value>.size else {
            throw BPFError(
                .invalidArgument, "open map", raw.name,
                detail: "it has keys of \(raw.keySize) and values of \(raw.valueSize) bytes, not "
                    + "\(MemoryLayout<Key>.size) and \(MemoryLayout<Value>.size)")
        }
        self.raw = raw
    }

    /// Makes a map.
    public init(creating specification: MapSpecification) throws(BPFError) {
        try self.init(owning: try RawMap.create(specification))
    }

    /// Opens a map that is pinned at a path.
    public init(pinnedAt path: String) throws(BPFError) {
        try self.init(owning: try BPFFileSystem.open(path))
    }

    /// The number by which the kernel knows the map.
    public var identifier: UInt32 { raw.identifier }

    /// Makes the map outlive its owners under a path of a BPF file system.
    public func pin(at path: String) throws(BPFError) {
        try BPFFileSystem.pin(raw.descriptor, at: path)
    }
}

/// What an update expects of its element (`BPF_ANY`, `BPF_NOEXIST`, `BPF_EXIST` of linux/bpf.h).
@frozen
public enum MapUpdate: UInt64, Hashable, Sendable {
    /// Nothing.
    case any
    /// That it is new.
    case new
    /// That it is there.
    case existing
}

extension BPFMap {
    /// The value of a key; nil when the key is not there.
    ///
    /// Not for maps with values per CPU.
    @inlinable
    public func value(for key: Key) throws(BPFError) -> Value? {
        var errno: Errno?
        let value: Value? = unsafe withUnsafeTemporaryAllocation(of: Value.self, capacity: 1) { buffer in
            guard let target = buffer.baseAddress else { return nil }
            errno = unsafe withUnsafeBytes(of: key) { bytes in
                unsafe bytes.baseAddress.flatMap { unsafe raw.lookUp($0, target) }
            }
            return errno == nil ? unsafe target.pointee : nil
        }
        if let errno, errno != .noEntry { throw raw.failure(errno, "look up in map") }
        return value
    }

    /// Gives a key its value.
    @inlinable
    public func set(_ key: Key, to value: Value, _ mode: MapUpdate = .any) throws(BPFError) {
        let errno = unsafe withUnsafeBytes(of: key) { key in
            unsafe withUnsafeBytes(of: value) { value -> Errno? in
                guard let key = key.baseAddress, let value = value.baseAddress else { return .invalidArgument }
                return unsafe raw.update(key, value, mode.rawValue)
            }
        }
        if let errno { throw raw.failure(errno, "update map") }
    }

    /// Removes a key; false when it is not there.
    @inlinable
    @discardableResult
    public func remove(_ key: Key) throws(BPFError) -> Bool {
        let errno = unsafe withUnsafeBytes(of: key) { key in
            unsafe key.baseAddress.flatMap { unsafe raw.delete($0) }
        }
        if let errno, errno != .noEntry { throw raw.failure(errno, "remove from map") }
        return errno == nil
    }
}
