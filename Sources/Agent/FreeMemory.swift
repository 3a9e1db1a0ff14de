import CMalloc
import ServiceLifecycle

/// Gives memory back to the system that is free again after much of it was needed for a moment, as for the first lists: the text
/// of objects is many times as large as what is kept of them, and lies between.
///
/// Left to itself, the C library keeps as much as was ever freed at once: it raises the size from which it maps memory
/// apart, and twice that may lie at the end of each of its heaps for good. See mallopt(3) and malloc_trim(3).
package struct FreeMemory: Service {
    private static let interval = Duration.seconds(10)
    /// From this size on memory is mapped, and unmapped when it is freed: the C library's own size at first.
    private static let mapped: Int32 = 128 << 10
    /// How much may be free at the end of a heap.
    private static let kept: Int32 = 1 << 20

    package init() {
        mallopt(M_MMAP_THRESHOLD, Self.mapped)
        mallopt(M_TRIM_THRESHOLD, Self.kept)
    }

    /// Gives back what is free between objects too, until the task is cancelled.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while (try? await Task.sleep(for: Self.interval)) != nil { malloc_trim(0) }
        }
    }
}
