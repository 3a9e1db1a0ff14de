import Foundation
import Linux
import ServiceProxy
import Synchronization

/// A Python process that makes calls from namespaces, as often as it is asked: to start one takes longer than a call.
final class Caller: Sendable {
    /// A call that is made from the network namespace of a name, and how many seconds it is given.
    typealias Order = (namespace: String, call: Call, seconds: Double)

    private struct Ended: Error {
        let status: ChildProcess.ExitStatus
    }

    private let process: ChildProcess
    private let orders = Pipe()
    private let output = Pipe()
    private let turn = Mutex(())

    /// - Parameter cgroup: the cgroup that the process, and so every socket of it, is in; nil for the tests' own.
    init(cgroup: String?) throws {
        var specification = ChildProcess.Specification(
            executable: "bash",
            arguments: ["-c", "\(NodeLab.entering(cgroup)) exec python3 -c \"$1\"", "bash", Self.program])
        specification.standardInput = .descriptor(orders.fileHandleForReading.fileDescriptor)
        specification.standardOutput = .descriptor(output.fileHandleForWriting.fileDescriptor)
        process = try ChildProcess.spawn(specification)
        // Its end is seen by nobody's writing there.
        try output.fileHandleForWriting.close()
    }

    deinit {
        try? process.signal(9)
        _ = try? process.wait()
    }

    /// What becomes of each of the calls, all made at once.
    func answers(to calls: [Order]) throws -> [String] {
        let order = calls.map {
            "\($0.namespace),\($0.call.destination),\($0.call.port),\($0.call.transport),\($0.seconds)"
        }
        return try turn.withLock { _ in
            try orders.fileHandleForWriting.write(contentsOf: Data((order.joined(separator: " ") + "\n").utf8))
            var line = Data()
            while line.last != UInt8(ascii: "\n") {
                let part = output.fileHandleForReading.availableData
                if part.isEmpty { throw Ended(status: try process.wait()) }
                line += part
            }
            return String(decoding: line.dropLast(), as: UTF8.self)
                .split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }
    }

    /// Makes every call of a line at once, each by a thread in a namespace, and prints the answers as a line.
    private static let program = """
        import ctypes, functools, os, socket, sys, threading
        libc = ctypes.CDLL(None, use_errno=True)
        @functools.cache
        def place_of(namespace): return os.open("/run/netns/" + namespace, os.O_RDONLY)
        def call(answers, index, namespace, address, port, transport, seconds):
            if libc.setns(place_of(namespace), 0x40000000) != 0: raise OSError(ctypes.get_errno(), "setns")
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            with socket.socket(family, socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM) as s:
                s.settimeout(float(seconds))
                try:
                    s.connect((address, int(port)))
                    if transport != "tcp": s.send(b"?")
                    answers[index] = s.recv(2048).decode()
                except ConnectionRefusedError: answers[index] = "refused"
                # A datagram that is refused or dropped where it is sent is not permitted, in the kernel's words.
                except PermissionError: answers[index] = "not permitted"
                except TimeoutError: answers[index] = "timeout"
                except OSError as error: answers[index] = str(error)
        for line in sys.stdin:
            calls = [text.split(",") for text in line.split()]
            answers = [""] * len(calls)
            threads = [threading.Thread(target=call, args=(answers, index, *rest)) for index, rest in enumerate(calls)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            print("\\t".join(answers), flush=True)
        """
}
