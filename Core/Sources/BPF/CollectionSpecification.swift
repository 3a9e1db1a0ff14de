internal import CBPFObjects
internal import Linux

/// The maps and programs of an object as they shall be: pure, and the same wherever it is read.
///
/// Objects are compiled by clang with `-target bpfel -O2`. A map is a `struct duet_map` (BPF/duet.h) in the section
/// `.maps`; a program is a function in a section named after the place where it runs (``ProgramKind``), and functions of
/// `.text` are appended to the programs that call them. Variables live in `.data`, `.bss` and `.rodata`, which become
/// arrays of one element.
public struct CollectionSpecification: Hashable, Sendable {
    /// The maps by name.
    public var maps: [String: MapSpecification]
    /// The programs by name.
    public var programs: [String: ProgramSpecification]
    /// Where each variable stands.
    var variables: [String: Variable]

    struct Variable: Hashable, Sendable {
        let map: String
        let offset: Int
        let size: Int
    }
}

extension CollectionSpecification {
    /// Reads an object.
    public init(object bytes: [UInt8], name: String) throws(BPFError) {
        do throws(ObjectFile.Malformed) {
            self = try ObjectLinker(try ObjectFile(bytes)).link()
        } catch {
            throw BPFError(.invalidArgument, "read eBPF object", name, detail: error.reason)
        }
    }

    /// Reads one of the objects that are part of Duet: the name of its source in BPF/, without ".c".
    public init(embedded name: String) throws(BPFError) {
        var object = unsafe duet_bpf_objects
        while let candidate = unsafe object.pointee.name {
            if unsafe String(cString: candidate) == name {
                let bytes = unsafe [UInt8](
                    UnsafeRawBufferPointer(start: object.pointee.bytes, count: object.pointee.count))
                try self.init(object: bytes, name: name)
                return
            }
            unsafe object += 1
        }
        throw BPFError(.noEntry, "read eBPF object", name, detail: "Duet has no object of this name")
    }

    /// Gives a variable its value before the programs are loaded; of a constant the verifier then knows the value, and
    /// leaves out what cannot happen.
    public mutating func set<Value: BitwiseCopyable>(_ name: String, to value: Value) throws(BPFError) {
        guard let variable = variables[name], variable.size == MemoryLayout<Value>.size else {
            throw BPFError(
                .invalidArgument, "set variable of eBPF object", name,
                detail: "there is none of \(MemoryLayout<Value>.size) bytes")
        }
        let range = variable.offset..<variable.offset + variable.size
        unsafe withUnsafeBytes(of: value) { unsafe maps[variable.map]?.contents?.replaceSubrange(range, with: $0) }
    }
}
