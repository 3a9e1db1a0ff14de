import Glibc

/// Numbers from the kernel's generator, which nobody can guess; fetched by the hundred, since a system call for each would
/// cost more than what they are for.
///
/// It belongs to one thread.
final class RandomBits {
    private var words = [UInt64](repeating: 0, count: 128)
    private var left = 0

    /// The next number.
    func next() -> UInt64 {
        if left == 0 { refill() }
        left -= 1
        defer { words[left] = 0 }
        return words[left]
    }

    private func refill() {
        // More than 256 bytes are not given at once; so many never fail.
        for start in stride(from: 0, to: words.count, by: 32) {
            unsafe words.withUnsafeMutableBytes { bytes in
                let result = unsafe getentropy(bytes.baseAddress.map { unsafe $0 + start * 8 }, 256)
                precondition(result == 0, "the kernel gives no random numbers")
            }
        }
        left = words.count
    }
}
