internal import Glibc

extension FileDescriptor {
    /// Reads at most `count` bytes from an offset; fewer only at the end of the file.
    public func read(upTo count: Int, at offset: Int) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let read = try systemCall("read") {
                unsafe bytes.withUnsafeMutableBytes { buffer in
                    unsafe pread(
                        rawValue, buffer.baseAddress?.advanced(by: filled), count - filled, off_t(offset + filled))
                }
            }
            if read == 0 { break }
            filled += read
        }
        return Array(bytes.prefix(filled))
    }

    /// Writes all bytes at an offset.
    public func write(_ bytes: [UInt8], at offset: Int) throws(SystemError) {
        var written = 0
        while written < bytes.count {
            written += try systemCall("write") {
                unsafe bytes.withUnsafeBytes { buffer in
                    unsafe pwrite(
                        rawValue, buffer.baseAddress?.advanced(by: written), buffer.count - written,
                        off_t(offset + written))
                }
            }
        }
    }
}

extension FileSystem {
    /// Sets when a file or directory was last modified, in nanoseconds since 1970.
    public static func setModified(_ path: String, _ nanoseconds: Int64) throws(SystemError) {
        let modified = timespec(
            tv_sec: time_t(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        // Glibc's UTIME_OMIT is a macro that Swift does not see: the time of the last access stays.
        let times = [timespec(tv_sec: 0, tv_nsec: (1 << 30) - 2), modified]
        _ = try systemCall("set modification time", path) { unsafe utimensat(AT_FDCWD, path, times, 0) }
    }
}
