internal import Addresses
internal import RouteNetlink

/// What `duet agent` has left in the kernel, and in pods, because of translation.
package enum TranslationLeftovers {
    /// Removes it, in the network namespace of the calling thread; false when there was nothing.
    ///
    /// What cannot be removed inside a pod is thrown when everything else has gone.
    /// - Parameter insidePods: whether pods live on, so that what is inside them has to go, too.
    @discardableResult
    package static func remove(insidePods: Bool = true) throws -> Bool {
        var table = try TranslationTableReconciler(
            ranges: .init(
                pods: NodeTranslationOptions.defaultPodRange, nodes: NodeTranslationOptions.defaultGatewayRange))
        let owners = try table.adopted()
        let hadPrograms = try KernelTranslator.removeMaps()
        guard try table.exists() || hadPrograms else { return false }
        var links = try PodLinks(range: NodeTranslationOptions.defaultPodRange)
        var inside = PodCLAT()
        var left: AddressesLeft?
        for owner in owners.values where insidePods && owner.purpose == .clat {
            // A pod that is gone has taken its address with it.
            guard let link = try links.link(of: owner.pod) else { continue }
            do {
                _ = try inside.apply(false, to: owner.pod, behind: link)
            } catch {
                left = AddressesLeft(pods: (left?.pods ?? []) + [owner.pod], reason: "\(error)")
            }
        }
        try links.keepGatewayRules(false)
        // The rules last: nothing must be translated past them.
        try links.removeAll(Set(owners.keys))
        try table.remove()
        if let left { throw left }
        return true
    }
}

/// Pods that keep the address of a CLAT.
private struct AddressesLeft: Error, CustomStringConvertible {
    let pods: [IPv6Address]
    /// Why it is so, of the last of them.
    let reason: String

    var description: String {
        "\(PodCLAT.address) stays in pods \(pods.map(\.description).sorted().joined(separator: ", ")), remove it there: "
            + reason
    }
}
