internal import Glibc

extension ChildProcess {
    /// What a finished process left.
    public struct Output: Sendable, Hashable {
        /// How it ended.
        public let status: ExitStatus
        /// What it wrote to its output.
        public let standardOutput: [UInt8]
        /// What it wrote to its error output.
        public let standardError: [UInt8]

        /// The output as text.
        public var text: String {
            String(decoding: standardOutput, as: UTF8.self)
        }

        /// The error output as text.
        public var errorText: String {
            String(decoding: standardError, as: UTF8.self)
        }
    }

    /// Runs a process to its end: feeds it `input`, and gathers both outputs.
    public static func output(of specification: Specification, input: [UInt8] = []) throws -> Output {
        let stdin = try FileDescriptor.pipe()
        let stdout = try FileDescriptor.pipe()
        let stderr = try FileDescriptor.pipe()
        var specification = specification
        specification.standardInput = .descriptor(stdin.reading.rawValue)
        specification.standardOutput = .descriptor(stdout.writing.rawValue)
        specification.standardError = .descriptor(stderr.writing.rawValue)
        let child = try spawn(specification)
        // The parent's copies of the child's ends must go, or no end of file would ever come.
        let (output, errors) = try exchange(
            input: input, into: closing(stdin.reading, keeping: stdin.writing),
            from: closing(stdout.writing, keeping: stdout.reading),
            and: closing(stderr.writing, keeping: stderr.reading))
        return Output(status: try child.wait(), standardOutput: output, standardError: errors)
    }

    private static func closing(
        _ other: consuming FileDescriptor, keeping kept: consuming FileDescriptor
    ) -> FileDescriptor {
        kept
    }

    // One loop over three descriptors: a child that fills one pipe while the parent waits on another would hang.
    private static func exchange(
        input: [UInt8], into sink: consuming FileDescriptor, from output: consuming FileDescriptor,
        and errors: consuming FileDescriptor
    ) throws(SystemError) -> ([UInt8], [UInt8]) {
        var pending = input[...]
        var gathered: [[UInt8]] = [[], []]
        var open = [output.rawValue, errors.rawValue]
        var writer: FileDescriptor? = input.isEmpty ? nil : consume sink
        while open.contains(where: { $0 >= 0 }) {
            var polls = [
                pollfd(fd: open[0], events: Int16(POLLIN), revents: 0),
                pollfd(fd: open[1], events: Int16(POLLIN), revents: 0),
                pollfd(fd: writer?.rawValue ?? -1, events: Int16(POLLOUT), revents: 0),
            ]
            _ = try systemCall("poll") { unsafe Glibc.poll(&polls, nfds_t(polls.count), -1) }
            if polls[0].revents != 0 { try drain(output, &gathered[0], &open[0]) }
            if polls[1].revents != 0 { try drain(errors, &gathered[1], &open[1]) }
            if polls[2].revents != 0 {
                // At most PIPE_BUF bytes, which a writable pipe takes without blocking.
                let part = Array(pending.prefix(4096))
                let failed = polls[2].revents & Int16(POLLERR) != 0
                if !failed { try writer?.write(part) }
                pending = pending.dropFirst(part.count)
                if failed || pending.isEmpty { writer = nil }
            }
        }
        return (gathered[0], gathered[1])
    }

    private static func drain(
        _ descriptor: borrowing FileDescriptor, _ bytes: inout [UInt8], _ open: inout Int32
    ) throws(SystemError) {
        let part = try descriptor.read(upTo: 65_536)
        if part.isEmpty { open = -1 }
        bytes += part
    }
}
