internal import CLinux
internal import Glibc

/// Threads of the operating system, for what belongs to one thread: namespaces, blocking loops.
public enum OSThread {
    /// The kernel's number of the calling thread.
    public static var current: Int32 {
        duet_gettid()
    }

    /// Runs `body` on a new thread and waits for its result.
    ///
    /// The thread ends afterwards, so nothing that `body` did to it (namespaces, masks) outlives the call.
    public static func run<Value: ~Copyable>(_ body: () throws -> Value) throws -> Value {
        var result: Result<Value, any Error>?
        let status = withoutActuallyEscaping(
            {
                do {
                    result = .success(try body())
                } catch {
                    result = .failure(error)
                }
            },
            do: { escapable in
                var thread = pthread_t()
                let status = start(&thread, escapable)
                if status == 0 { pthread_join(thread, nil) }
                return status
            })
        guard status == 0 else { throw SystemError(Errno(rawValue: status), "start thread") }
        guard let result = result.take() else { preconditionFailure("the thread ended without a result") }
        return try result.get()
    }

    /// Starts a thread that runs on its own; `name` (15 bytes at most) shows in `ps -L`.
    public static func detach(name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
        var thread = pthread_t()
        let status = start(&thread) {
            unsafe duet_set_thread_name(String(name.prefix(15)))
            body()
        }
        guard status == 0 else { throw SystemError(Errno(rawValue: status), "start thread", name) }
        _ = pthread_detach(thread)
    }

    private final class Start {
        let body: () -> Void

        init(_ body: @escaping () -> Void) {
            self.body = body
        }
    }

    private static func start(_ thread: inout pthread_t, _ body: @escaping () -> Void) -> Int32 {
        let box = unsafe Unmanaged.passRetained(Start(body))
        let status = unsafe pthread_create(
            &thread, nil,
            { argument in
                if let argument = unsafe argument {
                    unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().body()
                }
                return nil
            }, box.toOpaque())
        if status != 0 { unsafe box.release() }
        return status
    }
}
