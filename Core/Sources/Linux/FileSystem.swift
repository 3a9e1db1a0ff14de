internal import CLinux
internal import Glibc

/// Files and directories by path.
public enum FileSystem {
    /// The content of a file.
    public static func readFile(_ path: String) throws(SystemError) -> [UInt8] {
        let file = try FileDescriptor.open(path)
        do throws(SystemError) {
            return try file.readToEnd()
        } catch {
            throw SystemError(error.errno, error.operation, path)
        }
    }

    /// The content of a file as text; bytes that are not UTF-8 are replaced.
    public static func readText(_ path: String) throws(SystemError) -> String {
        String(decoding: try readFile(path), as: UTF8.self)
    }

    /// Replaces a file's content in place; creates the file with `mode` when it does not exist.
    public static func writeFile(_ path: String, _ bytes: [UInt8], mode: UInt32 = 0o644) throws(SystemError) {
        let file = try FileDescriptor.open(path, [.writeOnly, .create, .truncate], mode: mode)
        do throws(SystemError) {
            try file.write(bytes)
        } catch {
            throw SystemError(error.errno, error.operation, path)
        }
    }

    /// Replaces a file's content as `writeFile` does; content of the same length in one call, which spares the file system
    /// to give the old block away and to look for another.
    public static func updateFile(_ path: String, _ bytes: [UInt8], mode: UInt32 = 0o644) throws(SystemError) {
        if let file = try? FileDescriptor.open(path, .writeOnly), (try? file.status().size) == Int64(bytes.count) {
            do throws(SystemError) {
                return try file.write(bytes)
            } catch {
                throw SystemError(error.errno, error.operation, path)
            }
        }
        try writeFile(path, bytes, mode: mode)
    }

    /// Replaces a file so that a reader, and the disk after a crash, have the old content or the new one.
    public static func writeFileAtomically(
        _ path: String, _ bytes: [UInt8], mode: UInt32 = 0o644
    ) throws(SystemError) {
        // The leading dot and the suffix keep directory readers (containerd reads *.conflist) from taking it.
        let slash = path.lastIndex(of: "/")
        let directory = slash.map { String(path[..<$0]) + "/" } ?? ""
        let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
        let temporary = "\(directory).\(name).\(getpid()).\(duet_gettid()).tmp"
        do throws(SystemError) {
            try? remove(temporary)
            let file = try FileDescriptor.open(temporary, [.writeOnly, .create, .exclusive], mode: mode)
            try file.write(bytes)
            try file.synchronize()
            try file.close()
            try rename(temporary, to: path)
        } catch {
            try? remove(temporary)
            throw SystemError(error.errno, error.operation, path)
        }
    }

    /// Whether a path exists; symbolic links are followed.
    public static func exists(_ path: String) -> Bool {
        unsafe access(path, F_OK) == 0
    }

    /// What the kernel knows of a path.
    public static func status(_ path: String, followLinks: Bool = true) throws(SystemError) -> FileStatus {
        var status = stat()
        _ = try systemCall("stat", path) {
            unsafe followLinks ? stat(path, &status) : lstat(path, &status)
        }
        return FileStatus(status)
    }

    /// Moves a file or directory within one file system; an existing target file is replaced.
    public static func rename(_ path: String, to target: String) throws(SystemError) {
        _ = try systemCall("rename", "\(path) to \(target)") { unsafe Glibc.rename(path, target) }
    }

    /// Moves a file within one file system; throws `Errno.exists` when the target exists.
    public static func renameExclusively(_ path: String, to target: String) throws(SystemError) {
        _ = try systemCall("rename", "\(path) to \(target)") { unsafe duet_rename_exclusive(path, target) }
    }

    /// Removes a file, a symbolic link or an empty directory.
    public static func remove(_ path: String) throws(SystemError) {
        _ = try systemCall("remove", path) { unsafe Glibc.remove(path) }
    }

    /// Makes a second name for a file on the same file system.
    public static func hardLink(_ path: String, at newPath: String) throws(SystemError) {
        _ = try systemCall("link", "\(newPath) to \(path)") { unsafe link(path, newPath) }
    }

    /// Makes a symbolic link at `path` that points to `target`.
    public static func symbolicLink(to target: String, at path: String) throws(SystemError) {
        _ = try systemCall("symlink", path) { unsafe symlink(target, path) }
    }

    /// What a symbolic link points to.
    public static func readLink(_ path: String) throws(SystemError) -> String {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = try systemCall("readlink", path) {
            unsafe buffer.withUnsafeMutableBytes { bytes in
                unsafe duet_read_link(path, bytes.baseAddress, bytes.count)
            }
        }
        return String(decoding: buffer[..<count], as: UTF8.self)
    }

    /// Sets the permission bits.
    public static func setMode(_ path: String, _ mode: UInt32) throws(SystemError) {
        _ = try systemCall("chmod", path) { unsafe chmod(path, mode_t(mode)) }
    }
}
