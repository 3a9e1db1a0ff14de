import ArgumentParser
import LocalCluster

/// `duet kubeconfig`: the path of the administrator's kubeconfig.
struct Kubeconfig: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print the path of the administrator's kubeconfig.")

    func run() throws {
        print(try LocalCluster().adminKubeconfig())
    }
}
