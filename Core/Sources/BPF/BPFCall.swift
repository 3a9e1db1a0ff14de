internal import CLinux
internal import Linux

/// Performs one bpf(2) call: repeats it when a signal or the verifier's impatience interrupts it, and throws what made
/// it fail.
///
/// Pointers in the attribute must stay valid until `fill` returns, so `fill` performs the call by its argument.
@discardableResult
func bpf(
    _ command: bpf_cmd, _ attribute: inout bpf_attr, _ operation: String, _ context: @autoclosure () -> String = "",
    detail: () -> String = { "" }
) throws(BPFError) -> Int32 {
    while true {
        let result = unsafe duet_bpf(Int32(command.rawValue), &attribute, UInt32(MemoryLayout<bpf_attr>.size))
        if result >= 0 { return result }
        let errno = Errno.last
        // BPF_PROG_LOAD answers EAGAIN when a signal is pending (kernel/bpf/verifier.c, do_check).
        if errno == .interrupted || errno == .wouldBlock && command == BPF_PROG_LOAD { continue }
        throw BPFError(errno, operation, context(), detail: detail())
    }
}

/// The number by which bpf(2) knows a pointer.
func address(_ pointer: UnsafeRawPointer?) -> UInt64 {
    UInt64(UInt(bitPattern: pointer))
}

/// The text that a zero ends.
func text(_ bytes: UnsafeRawBufferPointer) -> String {
    unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
}

/// A name as the kernel takes it: at most 15 bytes, letters, digits, `_` and `.` only.
func kernelName(_ name: String) -> [UInt8] {
    let allowed = name.utf8.map { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."):
            byte
        default: UInt8(ascii: "_")
        }
    }
    return Array(allowed.prefix(Int(BPF_OBJ_NAME_LEN) - 1))
}
