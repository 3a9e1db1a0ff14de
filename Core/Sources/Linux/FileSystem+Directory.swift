internal import Glibc

extension FileSystem {
    /// Creates a directory; an existing directory is no error.
    ///
    /// - Parameter intermediate: also create the missing directories on the way.
    public static func makeDirectory(
        _ path: String, mode: UInt32 = 0o755, intermediate: Bool = true
    ) throws(SystemError) {
        do throws(SystemError) {
            _ = try systemCall("create directory", path) { unsafe mkdir(path, mode_t(mode)) }
        } catch {
            switch error.errno {
            case .exists where (try? status(path))?.kind == .directory:
                return
            case .noEntry where intermediate:
                guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { throw error }
                try makeDirectory(String(path[..<slash]), mode: mode)
                try makeDirectory(path, mode: mode, intermediate: false)
            default:
                throw error
            }
        }
    }

    /// The names in a directory, sorted, without "." and "..".
    public static func list(_ path: String) throws(SystemError) -> [String] {
        guard let directory = unsafe opendir(path) else {
            throw SystemError(.last, "list directory", path)
        }
        defer { _ = unsafe closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Removes a directory with all that is in it, or a file; nothing there is no error.
    ///
    /// Symbolic links are removed, not followed; what is mounted inside makes it fail with `Errno.busy`.
    public static func removeTree(_ path: String) throws(SystemError) {
        do throws(SystemError) {
            if try status(path, followLinks: false).kind == .directory {
                for name in try list(path) {
                    try removeTree("\(path)/\(name)")
                }
            }
            try remove(path)
        } catch  where error.errno == .noEntry {
            return
        }
    }

    /// Creates a new directory with a unique name that starts with `prefix`, and returns its path.
    public static func makeTemporaryDirectory(prefix: String = "/tmp/duet-") throws(SystemError) -> String {
        var template = Array("\(prefix)XXXXXX".utf8CString)
        let made = unsafe template.withUnsafeMutableBufferPointer { buffer in
            unsafe buffer.baseAddress.map { unsafe mkdtemp($0) != nil } ?? false
        }
        guard made else { throw SystemError(.last, "create directory", "\(prefix)XXXXXX") }
        return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
