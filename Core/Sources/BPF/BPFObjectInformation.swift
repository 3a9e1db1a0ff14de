internal import CLinux

/// What the kernel knows of an object.
enum BPFObjectInformation {
    /// Reads it into the kernel's structure for the kind of object.
    static func read<Information>(
        _ descriptor: Int32, _ information: inout Information, _ kind: String
    ) throws(BPFError) {
        var result: Result<Void, BPFError> = .success(())
        unsafe withUnsafeMutableBytes(of: &information) { bytes in
            var attribute = bpf_attr()
            unsafe attribute.info.bpf_fd = UInt32(descriptor)
            unsafe attribute.info.info_len = UInt32(bytes.count)
            unsafe attribute.info.info = address(bytes.baseAddress)
            do throws(BPFError) {
                try bpf(BPF_OBJ_GET_INFO_BY_FD, &attribute, "ask about \(kind)")
            } catch {
                result = .failure(error)
            }
        }
        try result.get()
    }
}
