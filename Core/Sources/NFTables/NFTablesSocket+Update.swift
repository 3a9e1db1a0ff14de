internal import Linux

extension NFTablesSocket {
    /// Commits a transaction that `plan` makes of what it reads, if nothing has changed in between; otherwise it is
    /// asked again.
    ///
    /// - Throws: `Errno.busy` when the rule set changed a hundred times.
    public static func update(
        _ plan: (inout NFTablesSocket) throws(NFTablesError) -> Transaction
    ) throws(NFTablesError) {
        var socket = try NFTablesSocket()
        for _ in 0..<100 {
            let generation = try socket.generation()
            let transaction = try plan(&socket)
            do throws(NFTablesError) {
                return try socket.commit(transaction, ifGeneration: generation)
            } catch {
                guard error.errno == .restart else { throw error }
            }
        }
        throw NFTablesError(.busy, "change the rule set", message: "it kept changing while it was read")
    }
}
