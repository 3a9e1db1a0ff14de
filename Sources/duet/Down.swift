import ArgumentParser
import LocalCluster

/// `duet down`: removes everything that `duet up` made.
struct Down: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Remove everything that `duet up` made.")

    func run() async throws {
        try await LocalCluster().down()
    }
}
