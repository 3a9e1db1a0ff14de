import Glibc

/// Lets the thread sleep.
func pause(milliseconds: Int) {
    guard milliseconds > 0 else { return }
    usleep(UInt32(milliseconds) * 1000)
}
