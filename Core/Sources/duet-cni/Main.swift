import CNI
import CNIPlugins
import Glibc
import Linux

/// The multi-call binary: its name, or its first argument, says which plugin it is.
@main
enum Main {
    static func main() {
        guard let plugin = PluginSet.plugin(named: baseName(ProcessInformation.invocationName)) ?? named() else {
            printError(usage)
            exit(64)
        }
        let outcome = CNIDispatcher(plugin, isOwnNamespace: isOwnNamespace).run(
            environment: environment, input: readInput)
        printError(outcome.log)
        write(outcome.output, to: STDOUT_FILENO)
        exit(outcome.status)
    }

    /// The plugin that the first argument names; does what else it may ask for.
    private static func named() -> (any CNIPlugin)? {
        let arguments = CommandLine.arguments.dropFirst()
        if arguments.first == "--install" { exit(install(Array(arguments.dropFirst()))) }
        return PluginSet.plugin(named: arguments.first ?? "")
    }

    private static var usage: String {
        let names = PluginSet.names.joined(separator: ", ")
        return """
            usage: duet-cni PLUGIN            serve one call of a CNI runtime (environment and standard input)
                   duet-cni --install DIR     link this binary into DIR under the name of each plugin
            plugins: \(names)

            """
    }

    private static func baseName(_ path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
        return String(path[path.utf8.index(after: slash)...])
    }

    private static func printError(_ text: String) { write(text, to: STDERR_FILENO) }

    // Nobody is left to tell when a runtime does not listen.
    private static func write(_ text: String, to number: Int32) {
        if text.isEmpty { return }
        let descriptor = FileDescriptor(owning: number)
        try? descriptor.write(Array(text.utf8))
    }

    private static func readInput() throws -> [UInt8] {
        let input = FileDescriptor(owning: STDIN_FILENO)
        return try input.readToEnd()
    }

    private static func environment(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }

    private static func isOwnNamespace(_ path: String) -> Bool {
        guard let own = try? FileSystem.status("/proc/self/ns/net"), let other = try? FileSystem.status(path) else {
            return false
        }
        return own.inode == other.inode && own.device == other.device
    }

    /// Puts the binary into a directory under every plugin's name; an older one is replaced in one step.
    private static func install(_ arguments: [String]) -> Int32 {
        guard let directory = arguments.first, arguments.count == 1 else {
            printError(usage)
            return 64
        }
        do {
            try FileSystem.makeDirectory(directory)
            let binary = try FileSystem.readLink("/proc/self/exe")
            for name in ["duet-cni"] + PluginSet.names {
                let path = "\(directory)/\(name)"
                if path == binary { continue }
                try link(binary, at: path)
            }
            return 0
        } catch {
            printError("duet-cni: cannot install into \(directory): \(error)\n")
            return 1
        }
    }

    private static func link(_ binary: String, at path: String) throws(SystemError) {
        let temporary = "\(path).new"
        try? FileSystem.remove(temporary)
        do throws(SystemError) {
            try FileSystem.hardLink(binary, at: temporary)
        } catch {
            guard error.errno == .crossDevice else { throw error }
            try FileSystem.writeFile(temporary, try FileSystem.readFile(binary), mode: 0o755)
        }
        // Renaming over another link of the same file does nothing and leaves both names.
        try FileSystem.rename(temporary, to: path)
        try? FileSystem.remove(temporary)
    }
}
