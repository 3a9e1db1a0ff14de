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

    /// The inode of the directory, by which links know the cgroup.
    public func identifier() throws(SystemError) -> UInt64 {
        try descriptor.status().inode
    }

    /// Lets processes of the cgroup and of those below it run a program, after the programs that are there already.
    ///
    /// Programs of others stay; one that is attached in a way that allows no other is an error (`Errno.notPermitted`).
    public func attach(_ program: borrowing BPFProgram, at hook: CgroupHook) throws(BPFError) -> BPFLink {
        var attribute = bpf_attr()
        unsafe attribute.link_create.prog_fd = UInt32(program.descriptor.rawValue)
        unsafe attribute.link_create.target_fd = UInt32(descriptor.rawValue)
        unsafe attribute.link_create.attach_type = hook.kind.attachType
        return BPFLink(
            owning: FileDescriptor(
                owning: try bpf(BPF_LINK_CREATE, &attribute, "attach program at \(hook.rawValue) of", path)))
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
