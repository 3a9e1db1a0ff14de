public import Linux

extension BPFMap {
    /// All keys at present; a key that comes or goes meanwhile may be among them or not.
    ///
    /// - Complexity: one system call a key.
    @inlinable
    public func keys() throws(BPFError) -> [Key] {
        // A walk begins again when the key that it stands on is removed; this bounds it.
        let limit = 2 * raw.capacity + 16
        var keys: [Key] = []
        var errno: Errno?
        unsafe withUnsafeTemporaryAllocation(of: Key.self, capacity: 2) { buffer in
            guard let current = buffer.baseAddress else { return }
            let next = unsafe current + 1
            errno = unsafe raw.next(after: nil, next)
            while errno == nil, keys.count < limit {
                unsafe current.initialize(to: next.pointee)
                keys.append(unsafe current.pointee)
                errno = unsafe raw.next(after: current, next)
            }
        }
        if let errno, errno != .noEntry { throw raw.failure(errno, "walk map") }
        return keys
    }

    /// Calls `body` with each key and its value; what comes or goes meanwhile may be among them or not.
    ///
    /// - Complexity: a few system calls for thousands of keys where the kernel can, else two a key.
    @inlinable
    public func forEach(_ body: (Key, Value) -> Void) throws(BPFError) {
        guard let (keys, values) = try raw.copyElements() else {
            for key in try self.keys() {
                if let value = try value(for: key) { body(key, value) }
            }
            return
        }
        unsafe keys.withUnsafeBytes { keys in
            unsafe values.withUnsafeBytes { values in
                for index in 0..<keys.count / raw.keySize {
                    unsafe body(
                        keys.loadUnaligned(fromByteOffset: index * raw.keySize, as: Key.self),
                        values.loadUnaligned(fromByteOffset: index * raw.valueSize, as: Value.self))
                }
            }
        }
    }

    /// Gives many keys their values, in one system call where the kernel can; not atomically.
    @inlinable
    public func set(_ elements: some Sequence<(Key, Value)>) throws(BPFError) {
        var keys: [Key] = []
        var values: [Value] = []
        for (key, value) in elements {
            keys.append(key)
            values.append(value)
        }
        guard !keys.isEmpty else { return }
        let (done, errno) = unsafe keys.withUnsafeBytes { keyBytes in
            unsafe values.withUnsafeBytes { valueBytes in
                unsafe raw.batch(deleting: false, keyBytes.baseAddress, valueBytes.baseAddress, keys.count)
            }
        }
        // Each element by itself says which one the kernel refuses, and does for maps without batches.
        if errno != nil {
            for index in keys.indices.dropFirst(done) { try set(keys[index], to: values[index]) }
        }
    }

    /// Removes many keys, in one system call where the kernel can; keys that are not there are no error.
    @inlinable
    public func remove(_ keys: [Key]) throws(BPFError) {
        guard !keys.isEmpty else { return }
        let (done, errno) = unsafe keys.withUnsafeBytes { bytes in
            unsafe raw.batch(deleting: true, bytes.baseAddress, nil, keys.count)
        }
        if errno != nil {
            for key in keys.dropFirst(done) { try remove(key) }
        }
    }

    /// The values that each possible CPU has for a key; nil when the key is not there.
    public func valuesPerCPU(for key: Key) throws(BPFError) -> [Value]? {
        // The kernel rounds each value up to eight bytes.
        let stride = (MemoryLayout<Value>.size + 7) & ~7
        let count = try PossibleCPUs.count()
        var bytes = [UInt8](repeating: 0, count: stride * count)
        let errno = unsafe withUnsafeBytes(of: key) { key in
            unsafe bytes.withUnsafeMutableBytes { values -> Errno? in
                guard let key = key.baseAddress, let values = values.baseAddress else { return .invalidArgument }
                return unsafe raw.lookUp(key, values)
            }
        }
        if errno == .noEntry { return nil }
        if let errno { throw raw.failure(errno, "look up in map") }
        return unsafe bytes.withUnsafeBytes { values in
            (0..<count).map { unsafe values.loadUnaligned(fromByteOffset: $0 * stride, as: Value.self) }
        }
    }
}

/// The CPUs that the machine may have, for which maps per CPU have values.
enum PossibleCPUs {
    static func count() throws(BPFError) -> Int {
        let path = "/sys/devices/system/cpu/possible"
        do throws(SystemError) {
            // "0-3" or "0": the numbers begin at 0 and have no gap.
            let text = try FileSystem.readText(path).prefix { !$0.isNewline }
            guard let last = text.split(whereSeparator: { $0 == "-" || $0 == "," }).last, let number = Int(last) else {
                throw SystemError(.invalidArgument, "count CPUs", path)
            }
            return number + 1
        } catch {
            throw BPFError(error.errno, error.operation, error.context)
        }
    }
}
