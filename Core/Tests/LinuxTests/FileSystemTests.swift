import Linux
import Testing

@Suite("Files and directories")
struct FileSystemTests {
    private func withDirectory(_ body: (String) throws -> Void) throws {
        let path = try FileSystem.makeTemporaryDirectory(prefix: "/tmp/dt-kernel-")
        defer { try? FileSystem.removeTree(path) }
        try body(path)
    }

    @Test("An atomic write replaces the content and leaves no other file")
    func atomicWrite() throws {
        try withDirectory { directory in
            let path = "\(directory)/a/b/file"
            try FileSystem.makeDirectory("\(directory)/a/b")
            try FileSystem.writeFileAtomically(path, [1, 2, 3], mode: 0o600)
            try FileSystem.writeFileAtomically(path, [4], mode: 0o600)
            #expect(try FileSystem.readFile(path) == [4])
            #expect(try FileSystem.list("\(directory)/a/b") == ["file"])
            #expect(try FileSystem.status(path).mode == 0o600)
        }
    }

    @Test("An update leaves the new content alone, of any length", arguments: ["ab", "a", "abcd", ""])
    func update(content: String) throws {
        try withDirectory { directory in
            let path = "\(directory)/file"
            try FileSystem.updateFile(path, Array("xy".utf8))
            let before = try FileSystem.status(path)
            try FileSystem.updateFile(path, Array(content.utf8))
            #expect(try FileSystem.readText(path) == content)
            #expect(try FileSystem.status(path).inode == before.inode)
        }
    }

    @Test("A file is read to its end, whatever its size", arguments: [0, 1, 4095, 4096, 4097, 20_480, 300_000])
    func sizes(size: Int) throws {
        try withDirectory { directory in
            let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            try FileSystem.writeFile("\(directory)/file", bytes)
            #expect(try FileSystem.readFile("\(directory)/file") == bytes)
        }
    }

    @Test("A missing file is reported with its path and the kernel's reason")
    func missing() {
        let error = #expect(throws: SystemError.self) { try FileSystem.readFile("/nonexistent/x") }
        #expect(error?.description == "open /nonexistent/x: No such file or directory (ENOENT)")
    }

    @Test("An exclusive rename never replaces a file")
    func exclusiveRename() throws {
        try withDirectory { directory in
            try FileSystem.writeFile("\(directory)/a", [1])
            try FileSystem.writeFile("\(directory)/b", [2])
            let error = #expect(throws: SystemError.self) {
                try FileSystem.renameExclusively("\(directory)/a", to: "\(directory)/b")
            }
            #expect(error?.errno == .exists)
            try FileSystem.renameExclusively("\(directory)/a", to: "\(directory)/c")
            #expect(try FileSystem.list(directory) == ["b", "c"])
        }
    }

    @Test("A lock excludes a second one until it is given up")
    func lock() throws {
        try withDirectory { directory in
            let path = "\(directory)/lock"
            let first = try FileLock(path)
            #expect(try FileLock.attempt(path) == nil)
            first.unlock()
            #expect(try FileLock.attempt(path) != nil)
        }
    }

    @Test("Symbolic links are read and removed, not followed")
    func links() throws {
        try withDirectory { directory in
            try FileSystem.makeDirectory("\(directory)/kept")
            try FileSystem.makeDirectory("\(directory)/gone")
            try FileSystem.symbolicLink(to: "\(directory)/kept", at: "\(directory)/gone/link")
            #expect(try FileSystem.readLink("\(directory)/gone/link") == "\(directory)/kept")
            try FileSystem.removeTree("\(directory)/gone")
            #expect(try FileSystem.list(directory) == ["kept"])
        }
    }
}
