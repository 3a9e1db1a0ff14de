import Glibc

/// A run of elements whose bits are zero at first; pages that are never written cost no memory.
///
/// Where the memory cannot be had the run is empty: its owner sees that in `count`, and refuses what would go into it.
@safe
struct ZeroedMemory<Element: BitwiseCopyable>: ~Copyable, @unchecked Sendable {
    private let base: UnsafeMutablePointer<Element>?
    let count: Int
    /// The bytes of a mapping of its own; 0 for memory of the allocator.
    private let mapped: Int

    init(count: Int) {
        let (bytes, overflows) = max(count, 1).multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
        let isLarge = bytes >= ZeroedMemory.large
        let raw =
            unsafe overflows ? nil : isLarge ? ZeroedMemory.map(bytes) : calloc(bytes, 1)
        unsafe base = raw?.assumingMemoryBound(to: Element.self)
        self.count = unsafe raw == nil ? 0 : count
        mapped = unsafe isLarge && raw != nil ? bytes : 0
    }

    deinit {
        if mapped > 0 { unsafe _ = munmap(base, mapped) } else { unsafe free(base) }
    }

    /// From how many bytes on memory is mapped: the allocator's large pieces begin 16 bytes behind a page, so that every second
    /// entry of 32 bytes would lie in two cache lines.
    private static var large: Int { 1 << 20 }

    private static func map(_ bytes: Int) -> UnsafeMutableRawPointer? {
        let memory = unsafe mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let memory = unsafe memory, unsafe memory != MAP_FAILED else { return nil }
        // Pages of 2 MiB, so that a lookup in a large table misses no page table entry. A kernel that does not know the request
        // has done nothing, which is well too.
        if bytes >= 8 << 20 { _ = unsafe madvise(memory, bytes, MADV_HUGEPAGE) }
        return unsafe memory
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
