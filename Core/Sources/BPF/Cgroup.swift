internal import CLinux
public import Linux

/// A cgroup of the v2 hierarchy, whose processes run programs at the moments of ``CgroupHook``.
public struct Cgroup: ~Copyable, Sendable {
    /// The directory.
    public let path: String
    private let descriptor: FileDescriptor

    /// Opens the cgroup of a directory, such as "/sys/fs/cgroup/duet".
    public init(_ path: String) throws(SystemError) {
        self.path = path
        descriptor = try FileDescriptor.open(path, [.directory])
    }

    /// Lets processes of the cgroup and of those below it run a program, after the programs that are there already.
    ///
    /// The cgroup keeps the program alive until it is detached, or the cgroup is removed. Programs of others stay; one
    /// that is attached to a cgroup above in a way that allows no other is an error (`Errno.notPermitted`).
    ///
    /// - Parameter old: a program whose place it takes, without a moment in between.
    public func attach(
        _ program: borrowing BPFProgram, at hook: CgroupHook, replacing old: borrowing BPFProgram
    ) throws(BPFError) {
        try attach(program.descriptor.rawValue, at: hook, replacing: old.descriptor.rawValue)
    }

    /// Lets processes of the cgroup and of those below it run a program, after the programs that are there already.
    public func attach(_ program: borrowing BPFProgram, at hook: CgroupHook) throws(BPFError) {
        try attach(program.descriptor.rawValue, at: hook, replacing: nil)
    }

    private func attach(_ program: Int32, at hook: CgroupHook, replacing old: Int32?) throws(BPFError) {
        var attribute = bpf_attr()
        attribute.target_fd = UInt32(descriptor.rawValue)
        attribute.attach_bpf_fd = UInt32(program)
        attribute.attach_type = hook.kind.attachType
        attribute.attach_flags = UInt32(BPF_F_ALLOW_MULTI)
        if let old {
            attribute.attach_flags |= UInt32(BPF_F_REPLACE)
            attribute.replace_bpf_fd = UInt32(old)
        }
        try bpf(BPF_PROG_ATTACH, &attribute, "attach program at \(hook.rawValue) of", path)
    }

    /// Takes a program from the cgroup; one that is not there is no error.
    public func detach(_ program: borrowing BPFProgram, at hook: CgroupHook) throws(BPFError) {
        var attribute = bpf_attr()
        attribute.target_fd = UInt32(descriptor.rawValue)
        attribute.attach_bpf_fd = UInt32(program.descriptor.rawValue)
        attribute.attach_type = hook.kind.attachType
        do throws(BPFError) {
            try bpf(BPF_PROG_DETACH, &attribute, "detach program at \(hook.rawValue) of", path)
        } catch {
            guard error.errno == .noEntry else { throw error }
        }
    }

    /// The kernel's numbers of the programs that are attached to the cgroup itself, in the order in which they run.
    public func programs(at hook: CgroupHook) throws(BPFError) -> [UInt32] {
        // The kernel allows 64 programs for each hook of a cgroup (BPF_CGROUP_MAX_PROGS of kernel/bpf/cgroup.c).
        var identifiers = [UInt32](repeating: 0, count: 64)
        var attribute = bpf_attr()
        unsafe attribute.query.target_fd = UInt32(descriptor.rawValue)
        unsafe attribute.query.attach_type = hook.kind.attachType
        unsafe attribute.query.prog_cnt = UInt32(identifiers.count)
        var failure: BPFError?
        unsafe identifiers.withUnsafeMutableBytes { bytes in
            unsafe attribute.query.prog_ids = address(bytes.baseAddress)
            do throws(BPFError) {
                try bpf(BPF_PROG_QUERY, &attribute, "list programs at \(hook.rawValue) of", path)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return unsafe Array(identifiers.prefix(Int(attribute.query.prog_cnt)))
    }
}

extension Cgroup {
    /// Where the machine has the cgroup v2 hierarchy; throws `Errno.noEntry` when it is mounted nowhere.
    public static func mountPoint() throws(SystemError) -> String {
        guard let mount = try Mount.list().first(where: { $0.type == "cgroup2" }) else {
            throw SystemError(.noEntry, "find the cgroup v2 hierarchy")
        }
        return mount.target
    }
}
