internal import CLinux
internal import Linux

/// The owner of an attachment of a program to a cgroup.
///
/// The program is attached until the link's last descriptor and pin are gone, or the cgroup is.
public struct BPFLink: ~Copyable, Sendable {
    private let descriptor: FileDescriptor

    /// Opens a link that is pinned at a path.
    public init(pinnedAt path: String) throws(BPFError) {
        descriptor = try BPFFileSystem.open(path)
    }

    init(owning descriptor: consuming FileDescriptor) {
        self.descriptor = descriptor
    }

    /// Keeps the program attached under a path of a BPF file system, after the owner is gone.
    public func pin(at path: String) throws(BPFError) {
        try BPFFileSystem.pin(descriptor, at: path)
    }

    /// Puts a program in place of the one that is attached, without a moment in between.
    public func replace(with program: borrowing BPFProgram) throws(BPFError) {
        var attribute = bpf_attr()
        unsafe attribute.link_update.link_fd = UInt32(descriptor.rawValue)
        unsafe attribute.link_update.new_prog_fd = UInt32(program.descriptor.rawValue)
        try bpf(BPF_LINK_UPDATE, &attribute, "replace an attached program")
    }

    /// What the kernel knows of a link.
    public struct Information: Hashable, Sendable {
        /// The kernel's number of the program.
        public let program: UInt32
        /// The inode of the cgroup's directory; 0 when the cgroup is gone.
        public let cgroup: UInt64
    }

    /// What the kernel knows of the link.
    public func information() throws(BPFError) -> Information {
        var information = bpf_link_info()
        try BPFObjectInformation.read(descriptor.rawValue, &information, "link")
        return Information(program: information.prog_id, cgroup: information.cgroup.cgroup_id)
    }
}
