import Linux
import NFTables

/// A fresh network namespace and `nft` as the second opinion.
struct Sandbox {
    let name: String

    init(_ purpose: String) throws {
        name = "dt-kernel-nft-\(purpose)-\(ProcessInformation.currentPID)"
        try NetworkNamespace.create(name: name)
    }

    func remove() {
        try? NetworkNamespace.delete(name: name)
    }

    func open() throws -> NFTablesSocket {
        try NetworkNamespace.open(name: name).run { try NFTablesSocket() }
    }

    /// What a command in the namespace writes, errors included.
    func run(_ executable: String, _ arguments: String..., input: String = "") throws -> String {
        var specification = ChildProcess.Specification(executable: executable, arguments: arguments)
        specification.networkNamespace = NetworkNamespace.path(name: name)
        let output = try ChildProcess.output(of: specification, input: Array(input.utf8))
        return output.text + output.errorText
    }

    static func with(_ purpose: String, _ body: (Sandbox, inout NFTablesSocket) throws -> Void) throws {
        let sandbox = try Sandbox(purpose)
        defer { sandbox.remove() }
        var socket = try sandbox.open()
        try body(sandbox, &socket)
    }
}

extension Key {
    static func of(_ build: (inout Key) -> Void) -> Key {
        var key = Key()
        build(&key)
        return key
    }
}
