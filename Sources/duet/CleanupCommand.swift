import ArgumentParser
import ClusterDNS
import ServiceProxy

/// `duet cleanup`: what an agent left in the kernel for Services and names goes.
struct CleanupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cleanup",
        abstract: "Remove the rules for Services and DNS that `duet agent` left on this node.",
        discussion: """
            For giving Services back to another proxy: start that one, restart the agent with --no-service-proxy, then
            run this. Established connections go on.
            """)

    func run() throws {
        let count = try ServiceRules.remove()
        let hadNames = try FailoverRules.remove()
        if count > 0 { print("Removed the tables for Services of \(count) families.") }
        if hadNames { print("Removed the table for DNS, which a running agent makes again.") }
        if count == 0, !hadNames { print("There was nothing to remove.") }
    }
}
