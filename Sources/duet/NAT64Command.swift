import ArgumentParser
import Foundation
import JSON
import NAT64

/// `duet nat64`: translates between the families on this machine.
struct NAT64Command: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nat64", abstract: "Translate between IPv6 and IPv4 on this machine.",
        subcommands: [Run.self, Status.self, Sessions.self, Clients.self, Trace.self])

    /// Where a running translator is asked.
    struct Socket: ParsableArguments {
        @Option(help: "Socket of the running translator.")
        var control = TranslatorConfiguration.defaultControl

        var client: TranslatorClient { TranslatorClient(path: control) }
    }

    /// `duet nat64 run`.
    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "run", abstract: "Translate until the process is told to end.")

        @Option(help: "Configuration file (YAML); docs/translation.md describes it.")
        var config = "/etc/duet/nat64.yaml"

        @Flag(help: "Check the file, and end.")
        var check = false

        func run() async throws {
            let text: String
            do {
                text = try String(contentsOfFile: config, encoding: .utf8)
            } catch {
                throw ValidationError("cannot read \(config): \(error.localizedDescription)")
            }
            let parsed: TranslatorConfiguration
            do {
                parsed = try TranslatorConfiguration(
                    parsing: text, secret: .random(in: .min ... .max),
                    processors: ProcessInfo.processInfo.activeProcessorCount)
            } catch {
                throw ValidationError("\(config): \(error)")
            }
            guard !check else {
                for warning in parsed.warnings { print("warning: \(config): \(warning)") }
                return print("\(config) is right")
            }
            let logger = LogOutput.logger("nat64")
            try await ServiceRunner.run(
                [TranslatorService(configuration: parsed, logger: logger)], logger: logger)
        }
    }

    /// `duet nat64 status`.
    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "status", abstract: "Show what a running translator holds and counts.")

        @OptionGroup var socket: Socket

        func run() async throws { print(try await socket.client.value("/status").text(pretty: true)) }
    }

    /// `duet nat64 sessions`.
    struct Sessions: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "sessions", abstract: "Show the sessions of a running translator.")

        @OptionGroup var socket: Socket

        @Option(help: "Show those alone that this address has a part in, of either family.")
        var address: String?

        @Option(help: "Show at most so many.")
        var limit = 1000

        func run() async throws {
            let filter = address.map { "&address=\($0)" } ?? ""
            let value = try await socket.client.value("/sessions?limit=\(limit)\(filter)")
            print(
                NAT64Command.table(
                    value,
                    [
                        "protocol", "client", "clientPort", "publicAddress", "publicPort", "remote", "remotePort",
                        "state", "endsIn",
                    ]))
        }
    }

    /// `duet nat64 clients`.
    struct Clients: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "clients", abstract: "Show who holds how many public ports of a running translator.")

        @OptionGroup var socket: Socket

        func run() async throws {
            let value = try await socket.client.value("/clients")
            print(NAT64Command.table(value, ["client", "publicAddress", "ports", "sessions"]))
        }
    }

    /// `duet nat64 trace`.
    struct Trace: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "trace", abstract: "Show what becomes of each packet, as it passes a running translator.")

        @OptionGroup var socket: Socket

        func run() async throws {
            // Past the buffer of `print`: a reader behind a pipe sees each packet at once.
            try await socket.client.lines("/trace") { FileHandle.standardOutput.write(Data("\($0.text())\n".utf8)) }
        }
    }

    /// Objects as a table, a line each, below the names of the members that are shown.
    private static func table(_ objects: JSONValue, _ names: [String]) -> String {
        var rows = [names.map { $0.uppercased() }]
        for object in objects.array ?? [] {
            rows.append(
                names.map { name in
                    switch object[name] {
                    case nil, .null: "-"
                    case .string(let text): text
                    case let value?: value.text()
                    }
                })
        }
        let widths = names.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            zip(row, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }.joined(separator: "  ")
                .trimmingCharacters(in: .whitespaces)
        }.joined(separator: "\n")
    }
}
