internal import Addresses
internal import RouteNetlink

/// What `duet agent` has left in the kernel, and in pods, because of translation.
package enum TranslationLeftovers {
    /// Removes it, in the network namespace of the calling thread; false when there was nothing.
    @discardableResult
    package static func remove() throws -> Bool {
        var table = try TranslationTableReconciler(
            ranges: .init(
                pods: NodeTranslationOptions.defaultPodRange, nodes: NodeTranslationOptions.defaultGatewayRange))
        let owners = try table.adopted()
        let hadPrograms = try KernelTranslator.removeMaps()
        guard try table.exists() || hadPrograms else { return false }
        var links = try PodLinks(range: NodeTranslationOptions.defaultPodRange)
        var inside = PodCLAT()
        for owner in owners.values where owner.purpose == .clat {
            // A pod that is gone has taken its address with it.
            guard let link = try links.link(of: owner.pod) else { continue }
            _ = try inside.apply(false, to: owner.pod, behind: link)
        }
        try links.keepGatewayRules(false)
        // The rules last: nothing must be translated past them.
        try links.removeAll(Set(owners.keys))
        try table.remove()
        return true
    }
}
