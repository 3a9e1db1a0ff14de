internal import CLinux
internal import Linux

extension RawMap {
    /// All keys, and all values in the same order; nil when the kernel has no batches for the kind of map.
    @usableFromInline
    func copyElements() throws(BPFError) -> (keys: [UInt8], values: [UInt8])? {
        var keys: [UInt8] = []
        var values: [UInt8] = []
        // Where the kernel goes on: a number for hashes and arrays, a key for tries.
        var position = [UInt8](repeating: 0, count: max(8, keySize))
        var isFirst = true
        var count = 4096
        while true {
            let batch = copyBatch(&position, isFirst: isFirst, count: count)
            keys += batch.keys
            values += batch.values
            switch batch.errno {
            case nil: isFirst = false
            case .noEntry: return (keys, values)
            // A bucket of the hash holds more than there is room for.
            case .noSpace where count < 1 << 22: count *= 4
            // ENOTSUPP, which is the kernel's own, and EINVAL before Linux 5.6.
            case Errno(rawValue: 524), .invalidArgument: return nil
            case let errno?: throw failure(errno, "copy map")
            }
        }
    }

    private func copyBatch(
        _ position: inout [UInt8], isFirst: Bool, count: Int
    ) -> (keys: [UInt8], values: [UInt8], errno: Errno?) {
        var keys = [UInt8](repeating: 0, count: count * keySize)
        var values = [UInt8](repeating: 0, count: count * valueSize)
        var attribute = bpf_attr()
        unsafe attribute.batch.map_fd = UInt32(descriptor.rawValue)
        unsafe attribute.batch.count = UInt32(count)
        var errno: Errno?
        unsafe keys.withUnsafeMutableBytes { keys in
            unsafe values.withUnsafeMutableBytes { values in
                unsafe position.withUnsafeMutableBytes { position in
                    unsafe attribute.batch.keys = address(keys.baseAddress)
                    unsafe attribute.batch.values = address(values.baseAddress)
                    unsafe attribute.batch.in_batch = isFirst ? 0 : address(position.baseAddress)
                    unsafe attribute.batch.out_batch = address(position.baseAddress)
                    do throws(BPFError) {
                        try bpf(BPF_MAP_LOOKUP_BATCH, &attribute, "")
                    } catch {
                        errno = error.errno
                    }
                }
            }
        }
        let copied = errno == nil || errno == .noEntry ? unsafe min(Int(attribute.batch.count), count) : 0
        return (Array(keys.prefix(copied * keySize)), Array(values.prefix(copied * valueSize)), errno)
    }
}
