internal import CLinux
internal import Glibc

/// A mount namespace held open by a descriptor.
public struct MountNamespace: ~Copyable, Sendable {
    /// The open namespace file.
    public let descriptor: FileDescriptor

    /// Opens a namespace by path, such as "/proc/17/ns/mnt" or one made by `create(at:)`.
    public static func open(path: String) throws(SystemError) -> MountNamespace {
        let descriptor = try FileDescriptor.open(path)
        // NS_GET_NSTYPE = _IO(0xb7, 3), linux/nsfs.h.
        guard ioctl(descriptor.rawValue, 0xb703) == CLONE_NEWNS else {
            throw SystemError(.invalidArgument, "open mount namespace", path)
        }
        return MountNamespace(descriptor: descriptor)
    }

    /// Creates a copy of the caller's mount namespace that a new file at `path` keeps alive.
    ///
    /// Mounts made outside still appear inside (slave propagation), not the other way round. The directory of `path`
    /// becomes a private mount of itself: the kernel refuses to let a namespace see the file that keeps it alive.
    public static func create(at path: String) throws -> MountNamespace {
        let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        try Mount.makePrivate(directory: directory)
        try FileDescriptor.open(path, [.writeOnly, .create, .exclusive], mode: 0o444).close()
        do {
            return try createOnAnyProcessor(heldAt: path)
        } catch {
            try? FileSystem.remove(path)
            throw error
        }
    }

    /// Creates the namespace where the kernel allows to hold it.
    ///
    /// So that namespaces never hold each other in a circle, one can hold only those with a higher number than its own.
    /// Since Linux 6.18 each processor counts for itself, so that a new namespace may well have a lower number than its
    /// maker's, if that is not the machine's first; on the processor that made the maker's it has a higher one.
    private static func createOnAnyProcessor(heldAt path: String) throws -> MountNamespace {
        let refusal: SystemError
        do {
            return try create(heldAt: path, on: nil)
        } catch let error as SystemError where error.errno == .invalidArgument {
            refusal = error
        }
        for processor in try Processors.allowed() {
            do {
                return try create(heldAt: path, on: processor)
            } catch let error as SystemError where error.errno == .invalidArgument {
                continue
            }
        }
        throw refusal
    }

    private static func create(heldAt path: String, on processor: Int?) throws -> MountNamespace {
        // The new namespace lives in a thread of its own until a mount in the old one holds it.
        let created = try OSThread.run {
            if let processor { try Processors.stay(on: processor) }
            _ = try systemCall("create mount namespace", path) { duet_unshare(CLONE_NEWNS | CLONE_FS) }
            try Mount.setPropagation("/", .slave, recursive: true)
            return try MountNamespace.open(path: "/proc/thread-self/ns/mnt")
        }
        try Mount.bind("/proc/self/fd/\(created.descriptor.rawValue)", at: path)
        return created
    }

    /// Unmounts and removes the file that keeps a namespace alive.
    public static func delete(at path: String) throws(SystemError) {
        try NetworkNamespace.delete(at: path)
    }

    /// Runs `body` inside the namespace, on a thread of its own, and waits for its result.
    public func run<Value: ~Copyable>(_ body: () throws -> Value) throws -> Value {
        let descriptor = descriptor.rawValue
        return try OSThread.run {
            _ = try systemCall("leave shared file system state") { duet_unshare(CLONE_FS) }
            _ = try systemCall("enter mount namespace") { duet_setns(descriptor, CLONE_NEWNS) }
            return try body()
        }
    }
}
