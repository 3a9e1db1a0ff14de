import Translation

/// The memory that a thread translates packets in: headroom, and the longest packet of either family.
@safe
struct PacketBuffer: ~Copyable, @unchecked Sendable {
    private let memory: UnsafeMutableRawBufferPointer

    init() {
        // A packet of 65,535 bytes of payload grows by an IPv6 and a fragment header.
        unsafe memory = .allocate(byteCount: TranslationOptions.headroom + 65_535 + 64, alignment: 16)
    }

    deinit { unsafe memory.deallocate() }

    /// The memory; it lives as long as its owner.
    var bytes: UnsafeMutableRawBufferPointer { unsafe memory }

    /// Where a packet is put.
    var room: UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(rebasing: memory[TranslationOptions.headroom...])
    }

    /// A part of the memory.
    func part(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(rebasing: memory[range])
    }
}
