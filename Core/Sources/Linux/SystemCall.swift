internal import Glibc

/// Performs one system call: repeats it when a signal interrupts it, and throws what made it fail.
///
/// A descriptor that is not open and a pointer that is not mapped are mistakes of the program: they trap.
@inline(__always)
func systemCall<Value: FixedWidthInteger & SignedInteger>(
    _ operation: String, _ context: @autoclosure () -> String = "", _ body: () -> Value
) throws(SystemError) -> Value {
    while true {
        let result = body()
        if result != -1 { return result }
        let errno = Errno.last
        if errno == .interrupted { continue }
        precondition(errno.rawValue != EBADF && errno.rawValue != EFAULT, "\(operation) \(context()): \(errno)")
        throw SystemError(errno, operation, context())
    }
}
