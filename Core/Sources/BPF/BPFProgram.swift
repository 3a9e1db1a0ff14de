internal import CLinux
public import Linux

/// The owner of a program that the kernel has verified.
///
/// The program itself lives until its last descriptor, attachment and pin are gone.
public struct BPFProgram: ~Copyable, Sendable {
    /// The descriptor, to hand to netlink requests that attach it.
    public let descriptor: FileDescriptor

    /// Takes ownership of a program's descriptor.
    public init(owning descriptor: consuming FileDescriptor) {
        self.descriptor = descriptor
    }

    /// Opens a program that is pinned at a path.
    public init(pinnedAt path: String) throws(BPFError) {
        descriptor = try BPFFileSystem.open(path)
    }

    /// Loads a program that uses no map.
    public init(loading specification: ProgramSpecification) throws(BPFError) {
        descriptor = try Self.load(specification) { map throws(BPFError) in
            throw BPFError(.noEntry, "load program", specification.name, detail: "it needs the map \(map)")
        }
    }

    /// Makes the program outlive its owners under a path of a BPF file system.
    public func pin(at path: String) throws(BPFError) {
        try BPFFileSystem.pin(descriptor, at: path)
    }

    /// What the kernel knows of a program.
    public struct Information: Hashable, Sendable {
        /// The number by which the kernel knows it.
        public let identifier: UInt32
        /// The first 15 bytes of its name.
        public let name: String
        /// What the kernel computes from its instructions: equal programs have equal tags.
        public let tag: UInt64
    }

    /// What the kernel knows of the program.
    public func information() throws(BPFError) -> Information {
        var information = bpf_prog_info()
        try BPFObjectInformation.read(descriptor.rawValue, &information, "program")
        return unsafe Information(
            identifier: information.id,
            name: withUnsafeBytes(of: information.name) { unsafe text($0) },
            tag: withUnsafeBytes(of: information.tag) { unsafe $0.loadUnaligned(as: UInt64.self) })
    }

    /// Opens a program by the number that the kernel gave it; nil when it is gone.
    public static func open(identifier: UInt32) throws(BPFError) -> BPFProgram? {
        var attribute = bpf_attr()
        attribute.prog_id = identifier
        do throws(BPFError) {
            return BPFProgram(
                owning: FileDescriptor(
                    owning: try bpf(BPF_PROG_GET_FD_BY_ID, &attribute, "open program", "\(identifier)")))
        } catch  where error.errno == .noEntry {
            return nil
        }
    }

    /// Loads a program; `map` yields the descriptors of maps by name.
    static func load(
        _ specification: ProgramSpecification, map: (String) throws(BPFError) -> Int32
    ) throws(BPFError) -> FileDescriptor {
        var instructions = specification.instructions
        for reference in specification.references {
            instructions[reference.index].immediate = try map(reference.map)
            if let offset = reference.offset {
                instructions[reference.index + 1].immediate = Int32(bitPattern: offset)
            }
        }
        do throws(BPFError) {
            return unsafe try load(specification, instructions, log: nil)
        } catch {
            // Without a log programs load faster; it is asked for when there is something to tell.
            var log = [UInt8](repeating: 0, count: 1 << 20)
            return unsafe try load(specification, instructions, log: &log)
        }
    }

    private static func load(
        _ specification: ProgramSpecification, _ instructions: [Instruction], log: UnsafeMutablePointer<[UInt8]>?
    ) throws(BPFError) -> FileDescriptor {
        var attribute = bpf_attr()
        attribute.prog_type = specification.kind.type
        attribute.expected_attach_type = specification.kind.attachType
        attribute.insn_cnt = UInt32(instructions.count)
        let name = kernelName(specification.name)
        unsafe withUnsafeMutableBytes(of: &attribute.prog_name) { unsafe $0.copyBytes(from: name) }
        var result: Result<Int32, BPFError> = .success(-1)
        func call() {
            do throws(BPFError) {
                result = .success(try bpf(BPF_PROG_LOAD, &attribute, "load program", specification.name))
            } catch {
                result = .failure(error)
            }
        }
        unsafe specification.license.withCString { license in
            unsafe instructions.withUnsafeBytes { bytes in
                attribute.license = unsafe address(license)
                attribute.insns = unsafe address(bytes.baseAddress)
                guard let log = unsafe log else { return call() }
                unsafe log.pointee.withUnsafeMutableBytes { buffer in
                    attribute.log_level = 1
                    attribute.log_size = UInt32(buffer.count)
                    attribute.log_buf = unsafe address(buffer.baseAddress)
                    call()
                }
            }
        }
        do throws(BPFError) {
            return FileDescriptor(owning: try result.get())
        } catch {
            let log = unsafe log.map { unsafe $0.pointee.withUnsafeBytes { unsafe text($0) } } ?? ""
            // The verdict is at the end, after what led there.
            let lines = log.split(separator: "\n").suffix(40).joined(separator: "\n")
            throw BPFError(error.errno, error.operation, error.context, detail: lines)
        }
    }
}
