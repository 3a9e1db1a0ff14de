/// Kernel parameters below `/proc/sys`, of the calling thread's network namespace where they belong to one.
public enum Sysctl {
    /// The value of a parameter such as "net/ipv4/ip_forward", without the line break.
    public static func get(_ name: String) throws(SystemError) -> String {
        var bytes = try FileSystem.readFile(path(name))
        while let last = bytes.last, last <= UInt8(ascii: " ") { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Sets a parameter; writes only when the value differs, so that a read-only `/proc/sys` with the right value does.
    public static func set(_ name: String, _ value: String) throws(SystemError) {
        if try get(name) == value { return }
        try write(name, value)
    }

    /// Sets a parameter that most likely has another value: asks for the one it has only when writing is refused.
    public static func change(_ name: String, _ value: String) throws(SystemError) {
        do throws(SystemError) {
            try write(name, value)
        } catch {
            guard (try? get(name)) == value else { throw error }
        }
    }

    /// Sets a parameter even if it cannot be read, as those that trigger something.
    public static func write(_ name: String, _ value: String) throws(SystemError) {
        let file = try FileDescriptor.open(path(name), .writeOnly)
        do throws(SystemError) {
            try file.write(Array(value.utf8))
        } catch {
            throw SystemError(error.errno, "set to \(value)", path(name))
        }
    }

    /// Whether this kernel has the parameter.
    public static func exists(_ name: String) -> Bool {
        FileSystem.exists(path(name))
    }

    // An interface name may hold dots, so names here are separated by slashes only.
    private static func path(_ name: String) -> String {
        "/proc/sys/\(name)"
    }
}
