import ArgumentParser
import ServiceProxy

/// `duet cleanup`: what an agent left in the kernel for Services goes.
struct CleanupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cleanup",
        abstract: "Remove the rules for Services that `duet agent` left on this node.",
        discussion: """
            For giving Services back to another proxy: start that one, restart the agent with --no-service-proxy, then
            run this. Established connections go on.
            """)

    func run() throws {
        let count = try ServiceRules.remove()
        print(count == 0 ? "There was nothing to remove." : "Removed the tables of \(count) families.")
    }
}
