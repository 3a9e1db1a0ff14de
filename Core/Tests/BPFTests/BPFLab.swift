import BPF
import Glibc
import Linux

/// Compiles programs, and says whether the kernel may be asked to run them.
enum BPFLab {
    /// Whether tests may load programs here.
    static let isPossible = (try? shell("test $(id -u) = 0 && bpftool version && tc -V && swift --version")) != nil

    /// The object of a source in Programs/.
    static func compile(_ name: String, flags: String = "") throws -> [UInt8] {
        let directory = try FileSystem.makeTemporaryDirectory()
        defer { try? FileSystem.removeTree(directory) }
        let tests = #filePath.dropLast("/BPFLab.swift".count)
        let root = "\(tests)/../../.."
        try shell(
            """
            "$(dirname "$(readlink -f "$(command -v swift)")")/clang" -target bpfel -mcpu=v3 -O2 \(flags) \
              -I \(root)/BPF -I \(root)/Core/Sources/CBPFObjects/include -idirafter /usr/include/$(uname -m)-linux-gnu \
              -c \(tests)/Programs/\(name).c -o \(directory)/object
            """)
        return try FileSystem.readFile("\(directory)/object")
    }

    /// The object of Programs/sample.c, read.
    static func sample() throws -> CollectionSpecification {
        try CollectionSpecification(object: compile("sample"), name: "sample")
    }

    /// A datagram socket.
    static func openSocket() throws -> FileDescriptor {
        let number = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        guard number >= 0 else { throw Errno.last }
        return FileDescriptor(owning: number)
    }

    struct CommandFailed: Error {
        let command: String
        let output: String
    }

    @discardableResult
    static func shell(_ command: String, in namespace: String? = nil) throws -> String {
        var specification = ChildProcess.Specification(executable: "bash", arguments: ["-c", command])
        specification.networkNamespace = namespace.map(NetworkNamespace.path(name:))
        let output = try ChildProcess.output(of: specification)
        guard output.status.isSuccess else {
            throw CommandFailed(command: command, output: output.text + output.errorText)
        }
        return output.text
    }
}
