internal import CLinux
internal import Glibc

/// The processors that threads run on (sched_setaffinity(2)).
package enum Processors {
    /// The numbers of those that the process's first thread may run on, in order.
    package static func allowed() throws(SystemError) -> [Int] {
        var bits = [UInt8](repeating: 0, count: bytes)
        _ = try systemCall("read processors of process") { unsafe duet_sched_getaffinity(getpid(), bytes, &bits) }
        return (0..<bytes * 8).filter { bits[$0 / 8] & (1 << UInt8($0 % 8)) != 0 }
    }

    /// Moves the calling thread to a processor, where it and the threads that it starts stay.
    package static func stay(on processor: Int) throws(SystemError) {
        var bits = [UInt8](repeating: 0, count: bytes)
        bits[processor / 8] = 1 << UInt8(processor % 8)
        _ = try systemCall("choose processor", "\(processor)") { unsafe duet_sched_setaffinity(0, bytes, bits) }
    }

    /// Of a set of as many processors as Linux can be built for.
    private static let bytes = 1_024
}
