import Glibc

/// A run of elements whose bits are zero at first; pages that are never written cost no memory.
///
/// Where the memory cannot be had the run is empty: its owner sees that in `count`, and refuses what would go into it.
@safe
struct ZeroedMemory<Element: BitwiseCopyable>: ~Copyable, @unchecked Sendable {
    private let base: UnsafeMutablePointer<Element>?
    let count: Int

    init(count: Int) {
        let raw = unsafe calloc(max(count, 1), MemoryLayout<Element>.stride)
        unsafe base = raw?.assumingMemoryBound(to: Element.self)
        self.count = unsafe raw == nil ? 0 : count
        if let raw = unsafe raw {
            unsafe ZeroedMemory.preferHugePages(raw, bytes: count * MemoryLayout<Element>.stride)
        }
    }

    deinit { unsafe free(base) }

    /// Asks for pages of 2 MiB where there are many: a lookup in a large table then misses no page table entry.
    private static func preferHugePages(_ memory: UnsafeMutableRawPointer, bytes: Int) {
        guard bytes >= 8 << 20 else { return }
        let page = 4096
        let inside = (page - Int(bitPattern: memory) % page) % page
        // A kernel that does not know the request has done nothing, which is well too.
        _ = unsafe madvise(memory + inside, (bytes - inside) & ~(page - 1), MADV_HUGEPAGE)
    }

    /// Where an element lies; traps outside the run.
    func address(_ index: Int) -> UnsafeMutablePointer<Element> {
        guard index >= 0, index < count, let base = unsafe base else {
            preconditionFailure("index outside the memory")
        }
        return unsafe base + index
    }

    /// An element; traps outside the run.
    subscript(_ index: Int) -> Element {
        // Addresses instead of accessors that yield: those take memory for their frame in an unoptimised build.
        unsafeAddress { unsafe UnsafePointer(address(index)) }
        unsafeMutableAddress { unsafe address(index) }
    }
}
