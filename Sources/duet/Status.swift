import ArgumentParser
import LocalCluster

/// `duet status`: what of the cluster stands.
struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what of the cluster stands; exit status 1 when a part is missing.")

    func run() async throws {
        let status = try LocalCluster().status()
        print(status.text)
        guard status.isComplete else { throw ExitCode.failure }
    }
}
