import APIServer
import ArgumentParser

/// `duet server`: the embedded control plane, and copies of its state.
struct ServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "server", abstract: "Run the embedded control plane, or copy its state.",
        discussion: "Without a subcommand the server runs; `duet server run --help` lists its options.",
        subcommands: [Server.self, Backup.self, Restore.self], defaultSubcommand: Server.self)

    /// `duet server backup`.
    struct Backup: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Copy objects and keys into one file; the server may run meanwhile.")

        @Argument(help: "The file to make.")
        var file: String

        @Option(help: "The server's directory.")
        var dataDir: String

        func run() throws {
            let contents = try StateBackup.create(file, dataDirectory: dataDir)
            print("\(file): \(contents.rows) rows up to revision \(contents.revision)")
        }
    }

    /// `duet server restore`.
    struct Restore: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make a server's directory from a backup.")

        @Argument(help: "A file of `duet server backup`.")
        var file: String

        @Option(help: "The directory to make; it must not exist, or be empty.")
        var dataDir: String

        func run() throws {
            let contents = try StateBackup.restore(file, dataDirectory: dataDir)
            print("\(dataDir): \(contents.rows) rows up to revision \(contents.revision)")
        }
    }
}
