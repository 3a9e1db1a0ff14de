internal import Addresses

/// What `duet agent` has written to the kernel for Services.
package enum ServiceRules {
    /// Removes it, in the namespace of the calling thread, and says how many tables there were; another proxy should be
    /// at work already.
    @discardableResult
    package static func remove() throws -> Int {
        // Calls first: what leads them must not outlive the tables that it follows.
        _ = try ConnectTimeBalancer.removeLeftovers()
        let tables = IPFamily.allCases.flatMap { family in
            [TableLayout.tableName, TableLayout.interimName].map { TableLayout(family, named: $0).table }
        }
        let count = try TableRemoval.remove(tables, from: try LinuxConnection())
        _ = try TranslationDevice.remove()
        return count
    }
}
