import ArgumentParser
import ClusterDNS
import NodeTranslation
import ServiceProxy

/// `duet cleanup`: what an agent left in the kernel for Services, names and translation goes.
struct CleanupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cleanup",
        abstract: "Remove what `duet agent` left on this node for Services, DNS and translation.",
        discussion: """
            For giving Services back to another proxy: start that one, restart the agent with --no-service-proxy, then
            run this. Established connections go on, but for those of pods that were translated for.
            """)

    func run() throws {
        // What it fails on is told when the rest has gone.
        let translation = Result { try TranslationLeftovers.remove() }
        let hadTranslation = (try? translation.get()) == true
        let count = try ServiceRules.remove()
        let hadNames = try FailoverRules.remove()
        if hadTranslation { print("Removed what translated for pods, which a running agent makes again.") }
        if count > 0 { print("Removed the tables for Services of \(count) families.") }
        if hadNames { print("Removed the table for DNS, which a running agent makes again.") }
        if try !translation.get(), count == 0, !hadNames { print("There was nothing to remove.") }
    }
}
