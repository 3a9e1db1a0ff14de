internal import CLinux
public import Linux

/// Where maps, programs and links stay when nobody has them open.
public enum BPFFileSystem {
    /// Where the machine has its BPF file system.
    public static let mountPoint = "/sys/fs/bpf"
    /// The directory of what is Duet's.
    public static let directory = "/sys/fs/bpf/duet"

    /// Makes a directory for pins, and mounts the file system where the machine has none.
    public static func prepare(_ directory: String = directory) throws(SystemError) {
        if try !Mount.list().contains(where: { $0.target == mountPoint && $0.type == "bpf" }) {
            try Mount.fileSystem("bpf", at: mountPoint)
        }
        try FileSystem.makeDirectory(directory, mode: 0o700)
    }

    /// Makes an object outlive its descriptors; throws `Errno.exists` when the path is taken.
    static func pin(_ object: borrowing FileDescriptor, at path: String) throws(BPFError) {
        _ = try withPath(path) { path throws(BPFError) in
            var attribute = bpf_attr()
            attribute.pathname = path
            attribute.bpf_fd = UInt32(object.rawValue)
            return try bpf(BPF_OBJ_PIN, &attribute, "pin")
        }
    }

    /// Opens what is pinned at a path.
    static func open(_ path: String) throws(BPFError) -> FileDescriptor {
        FileDescriptor(
            owning: try withPath(path) { path throws(BPFError) in
                var attribute = bpf_attr()
                attribute.pathname = path
                return try bpf(BPF_OBJ_GET, &attribute, "open pinned object")
            })
    }

    private static func withPath(
        _ path: String, _ body: (UInt64) throws(BPFError) -> Int32
    ) throws(BPFError) -> Int32 {
        var result: Result<Int32, BPFError> = .success(-1)
        unsafe path.withCString { pointer in
            do throws(BPFError) {
                result = .success(try body(unsafe address(pointer)))
            } catch {
                result = .failure(BPFError(error.errno, error.operation, path))
            }
        }
        return try result.get()
    }
}
