internal import CLinux
internal import Linux

/// Describes keys and values to the kernel, for the kinds of maps that it makes no other way.
///
/// Of a socket's storage the kernel wants to know that keys are numbers of 32 bits and how large values are
/// (`bpf_local_storage_map_check_btf`, kernel/bpf/bpf_local_storage.c); the format is that of the kernel's
/// Documentation/bpf/btf.rst.
enum MapTypes {
    static let key: UInt32 = 1
    static let value: UInt32 = 2

    /// Loads the description; the map keeps it.
    static func load(valueSize: UInt32) throws(BPFError) -> FileDescriptor {
        let bytes = unsafe description(valueSize: valueSize).withUnsafeBytes { unsafe Array($0) }
        var failure: BPFError?
        var descriptor: Int32 = -1
        unsafe bytes.withUnsafeBytes { buffer in
            var attribute = bpf_attr()
            attribute.btf = unsafe address(buffer.baseAddress)
            attribute.btf_size = UInt32(buffer.count)
            do throws(BPFError) {
                descriptor = try bpf(BPF_BTF_LOAD, &attribute, "describe a map of sockets")
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return FileDescriptor(owning: descriptor)
    }

    private static func description(valueSize: UInt32) -> [UInt32] {
        let integer: [UInt32] = [1, 1 << 24, 4, 32]
        let structure: [UInt32] = [0, 4 << 24, valueSize]
        // The names: none, and "key".
        let names: [UInt32] = [0x79_656b_00, 0]
        let typesSize = UInt32(4 * (integer.count + structure.count))
        // Magic and version; the sizes and places of the header, the types and the names.
        let header: [UInt32] = [0x0001_eb9f, 24, 0, typesSize, typesSize, UInt32(4 * names.count)]
        return header + integer + structure + names
    }
}
