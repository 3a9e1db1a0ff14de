internal import CLinux
internal import Glibc

extension ChildProcess {
    /// Starts a process; only its standard descriptors are passed on.
    ///
    /// Throws what kept it from starting: a missing executable, namespace or log directory.
    public static func spawn(_ specification: Specification) throws -> ChildProcess {
        let network = specification.networkNamespace
        let mount = specification.mountNamespace
        guard network != nil || mount != nil else { return try spawnHere(specification) }
        // Namespaces belong to a thread and children inherit them, so a short-lived thread enters them first.
        return try OSThread.run {
            let networkFile = try network.map { path throws(SystemError) in try FileDescriptor.open(path).release() }
            defer { if let networkFile { close(networkFile) } }
            if let mount {
                let namespace = try MountNamespace.open(path: mount)
                _ = try systemCall("leave shared file system state") { duet_unshare(CLONE_FS) }
                _ = try systemCall("enter mount namespace", mount) {
                    duet_setns(namespace.descriptor.rawValue, CLONE_NEWNS)
                }
            }
            if let network, let networkFile {
                _ = try systemCall("enter network namespace", network) { duet_setns(networkFile, CLONE_NEWNET) }
            }
            return try spawnHere(specification)
        }
    }

    /// Starts a process with the arguments most callers need.
    public static func spawn(
        executable: String, arguments: [String] = [], environment: [String: String]? = nil,
        stdin: Redirection = .null, stdout: Redirection = .inherit, stderr: Redirection = .inherit,
        newSession: Bool = false, networkNamespace: String? = nil, mountNamespace: String? = nil
    ) throws -> ChildProcess {
        var specification = Specification(executable: executable, arguments: arguments, environment: environment)
        specification.standardInput = stdin
        specification.standardOutput = stdout
        specification.standardError = stderr
        specification.newSession = newSession
        specification.networkNamespace = networkNamespace
        specification.mountNamespace = mountNamespace
        return try spawn(specification)
    }

    private static func spawnHere(_ specification: Specification) throws(SystemError) -> ChildProcess {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe redirect(specification.standardInput, to: 0, flags: O_RDONLY, &actions)
        unsafe redirect(specification.standardOutput, to: 1, flags: O_WRONLY | O_CREAT, &actions)
        unsafe redirect(specification.standardError, to: 2, flags: O_WRONLY | O_CREAT, &actions)
        unsafe duet_spawn_close_from(&actions, 3)
        if let directory = specification.directory { unsafe duet_spawn_change_directory(&actions, directory) }

        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        // A child must not inherit what this program ignores or blocks for itself.
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        unsafe sigaddset(&signals, SIGPIPE)
        unsafe sigaddset(&signals, SIGINT)
        unsafe sigaddset(&signals, SIGTERM)
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        unsafe duet_spawn_set_flags(
            &attributes, Int32(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF), specification.newSession ? 1 : 0)

        var arguments = unsafe CStringArray([specification.executable] + specification.arguments)
        var variables = unsafe CStringArray((specification.environment ?? [:]).map { "\($0.key)=\($0.value)" }.sorted())
        defer {
            unsafe arguments.deallocate()
            unsafe variables.deallocate()
        }
        var pid: Int32 = 0
        let status = unsafe variables.pointers.withUnsafeMutableBufferPointer { own in
            unsafe posix_spawnp(
                &pid, specification.executable, &actions, &attributes, arguments.pointers,
                specification.environment == nil ? environ : own.baseAddress)
        }
        guard status == 0 else {
            throw SystemError(Errno(rawValue: status), "start", specification.executable)
        }
        return ChildProcess(pid: pid)
    }

    private static func redirect(
        _ redirection: Redirection, to number: Int32, flags: Int32, _ actions: inout posix_spawn_file_actions_t
    ) {
        switch redirection {
        case .inherit:
            return
        case .null:
            unsafe posix_spawn_file_actions_addopen(&actions, number, "/dev/null", O_RDWR, 0)
        case .file(let path, let append):
            let extra = flags == O_RDONLY ? 0 : (append ? O_APPEND : O_TRUNC)
            unsafe posix_spawn_file_actions_addopen(&actions, number, path, flags | extra, 0o644)
        case .descriptor(let descriptor):
            unsafe posix_spawn_file_actions_adddup2(&actions, descriptor, number)
        }
    }
}

/// A null-terminated array of C strings.
@unsafe
private struct CStringArray {
    var pointers: [UnsafeMutablePointer<CChar>?]

    init(_ strings: [String]) {
        unsafe pointers = strings.map { unsafe strdup($0) } + [nil]
    }

    mutating func deallocate() {
        unsafe pointers.forEach { unsafe free($0) }
        unsafe pointers = []
    }
}
