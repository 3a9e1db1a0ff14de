internal import Glibc

/// Mounts of the calling thread's mount namespace.
public enum Mount {
    /// How mounts below a mount point spread between mount namespaces.
    public enum Propagation: Sendable {
        /// Neither sent nor received.
        case `private`
        /// Received from the peer, not sent.
        case slave
        /// Sent and received.
        case shared

        var flag: Int {
            switch self {
            case .private: MS_PRIVATE
            case .slave: MS_SLAVE
            case .shared: MS_SHARED
            }
        }
    }

    /// Makes `source` visible at `target` too.
    public static func bind(_ source: String, at target: String, recursive: Bool = false) throws(SystemError) {
        try mount(source, target, "none", MS_BIND | (recursive ? MS_REC : 0))
    }

    /// Mounts an empty file system in memory; `options` such as "mode=0755,size=64m".
    public static func tmpfs(at target: String, options: String = "mode=0755") throws(SystemError) {
        try mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV, options)
    }

    /// Mounts a file system of any type, such as "sysfs" or "cgroup2".
    public static func fileSystem(
        _ type: String, at target: String, source: String = "none", options: String = ""
    ) throws(SystemError) {
        try mount(source, target, type, 0, options)
    }

    /// Sets how mounts below a mount point spread.
    public static func setPropagation(
        _ target: String, _ propagation: Propagation, recursive: Bool = false
    ) throws(SystemError) {
        try mount("none", target, "none", propagation.flag | (recursive ? MS_REC : 0))
    }

    /// Makes a directory a private mount point of itself, unless it is one already.
    public static func makePrivate(directory: String) throws(SystemError) {
        do throws(SystemError) {
            try setPropagation(directory, .private)
        } catch  where error.errno == .invalidArgument {
            try bind(directory, at: directory)
            try setPropagation(directory, .private)
        }
    }

    /// Unmounts the topmost mount at a path.
    ///
    /// - Parameter lazily: detach now, release when nobody uses it any more.
    public static func unmount(_ target: String, lazily: Bool = false) throws(SystemError) {
        _ = try systemCall("unmount", target) { unsafe umount2(target, lazily ? Int32(MNT_DETACH) : 0) }
    }

    private static func mount(
        _ source: String, _ target: String, _ type: String, _ flags: Int, _ options: String = ""
    ) throws(SystemError) {
        _ = try systemCall("mount", "\(source) at \(target)") {
            unsafe options.withCString { data in
                unsafe Glibc.mount(source, target, type, UInt(flags), data)
            }
        }
    }
}
