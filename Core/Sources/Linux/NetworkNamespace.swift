internal import CLinux
internal import Glibc

/// A network namespace held open by a descriptor.
public struct NetworkNamespace: ~Copyable, Sendable {
    /// The open namespace file, to hand to netlink requests that move links.
    public let descriptor: FileDescriptor

    /// The directory of named namespaces, as `ip netns` has it.
    public static let directory = "/run/netns"

    /// Opens a namespace by path, such as "/proc/17/ns/net" or "/run/netns/blue".
    ///
    /// Throws `Errno.invalidArgument` when the file is no network namespace.
    public static func open(path: String) throws(SystemError) -> NetworkNamespace {
        let descriptor = try FileDescriptor.open(path)
        // NS_GET_NSTYPE = _IO(0xb7, 3), linux/nsfs.h.
        guard ioctl(descriptor.rawValue, 0xb703) == CLONE_NEWNET else {
            throw SystemError(.invalidArgument, "open network namespace", path)
        }
        return NetworkNamespace(descriptor: descriptor)
    }

    /// Opens a namespace that has a name below `/run/netns`.
    public static func open(name: String) throws(SystemError) -> NetworkNamespace {
        try open(path: path(name: name))
    }

    /// Opens the namespace that a process lives in.
    public static func open(pid: Int32) throws(SystemError) -> NetworkNamespace {
        try open(path: "/proc/\(pid)/ns/net")
    }

    /// Opens the namespace of the calling thread.
    public static func current() throws(SystemError) -> NetworkNamespace {
        try open(path: "/proc/thread-self/ns/net")
    }

    /// Where a named namespace is found.
    public static func path(name: String) -> String {
        "\(directory)/\(name)"
    }

    /// What tells namespaces apart: two values are equal if and only if the namespace is the same.
    public func identity() throws(SystemError) -> FileStatus {
        try descriptor.status()
    }

    /// Runs `body` inside the namespace, on a thread of its own, and waits for its result.
    ///
    /// Sockets opened in `body` stay in the namespace after it returns.
    public func run<Value: ~Copyable>(_ body: () throws -> Value) throws -> Value {
        try OSThread.run {
            try enter()
            return try body()
        }
    }

    /// Runs `body` inside the namespace on the calling thread, which is in `home` before and after.
    ///
    /// For programs of one thread that come and go within a millisecond, where `run` spends more on its thread than on the
    /// work. A thread that cannot go back would work in the wrong namespace: the program ends.
    public func visit<Value: ~Copyable>(
        from home: borrowing NetworkNamespace, _ body: () throws -> Value
    ) throws -> Value {
        try enter()
        defer {
            do {
                try home.enter()
            } catch {
                preconditionFailure("cannot go back to the network namespace of this thread: \(error)")
            }
        }
        return try body()
    }

    private func enter() throws(SystemError) {
        let descriptor = descriptor.rawValue
        _ = try systemCall("enter network namespace") { duet_setns(descriptor, CLONE_NEWNET) }
    }
}

extension NetworkNamespace {
    /// Creates a namespace with a name below `/run/netns`, as `ip netns add` does.
    ///
    /// Throws `Errno.exists` when the name is taken. The loopback link is down.
    @discardableResult
    public static func create(name: String) throws -> NetworkNamespace {
        try FileSystem.makeDirectory(directory)
        try shareDirectory()
        return try create(at: path(name: name))
    }

    /// Creates a namespace that a new file at `path` keeps alive.
    public static func create(at path: String) throws -> NetworkNamespace {
        try FileDescriptor.open(path, [.writeOnly, .create, .exclusive], mode: 0o444).close()
        do {
            return try OSThread.run {
                _ = try systemCall("create network namespace", path) { duet_unshare(CLONE_NEWNET) }
                try Mount.bind("/proc/thread-self/ns/net", at: path)
                return try NetworkNamespace.open(path: path)
            }
        } catch {
            try? FileSystem.remove(path)
            throw error
        }
    }

    /// Removes a name; the namespace itself ends with its last process, socket and descriptor.
    public static func delete(name: String) throws(SystemError) {
        try delete(at: path(name: name))
    }

    /// Unmounts and removes a file that keeps a namespace alive.
    public static func delete(at path: String) throws(SystemError) {
        do throws(SystemError) {
            try Mount.unmount(path, lazily: true)
        } catch  where error.errno == .invalidArgument {
            // A file of this name without a mount is what an interrupted creation left.
        }
        try FileSystem.remove(path)
    }

    /// The names below `/run/netns`.
    public static func names() throws(SystemError) -> [String] {
        guard FileSystem.exists(directory) else { return [] }
        return try FileSystem.list(directory)
    }

    // Namespaces made by one process must be seen by all mount namespaces: iproute2 `netns_add`.
    private static func shareDirectory() throws(SystemError) {
        do throws(SystemError) {
            try Mount.setPropagation(directory, .shared, recursive: true)
        } catch  where error.errno == .invalidArgument {
            try Mount.bind(directory, at: directory, recursive: true)
            try Mount.setPropagation(directory, .shared, recursive: true)
        }
    }
}
