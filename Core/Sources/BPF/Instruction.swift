internal import CLinux

/// One eBPF instruction of eight bytes (`struct bpf_insn` of linux/bpf.h).
@frozen
public struct Instruction: RawRepresentable, Hashable, Sendable {
    /// The bytes in the machine's order.
    public var rawValue: UInt64

    /// Wraps the bytes of an instruction.
    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// What it does.
    var code: UInt8 { UInt8(truncatingIfNeeded: rawValue) }

    /// The second register; for some instructions what the constant stands for.
    var source: UInt8 {
        get { UInt8(truncatingIfNeeded: rawValue >> 12) & 0xf }
        set { rawValue = rawValue & ~(0xf << 12) | UInt64(newValue & 0xf) << 12 }
    }

    /// The constant.
    var immediate: Int32 {
        get { Int32(truncatingIfNeeded: rawValue >> 32) }
        set { rawValue = rawValue & 0xffff_ffff | UInt64(UInt32(bitPattern: newValue)) << 32 }
    }

    /// Whether it loads a constant of 64 bits, of which the next instruction holds the upper half.
    var isWideLoad: Bool { code == UInt8(BPF_LD | BPF_IMM | BPF_DW) }

    /// Whether it calls a function of the same program.
    var isLocalCall: Bool { code == UInt8(BPF_JMP | BPF_CALL) && source == UInt8(BPF_PSEUDO_CALL) }
}
