import CNI
import NFTables

extension CNIRequest {
    /// The result of the plugins before this one, for a plugin that needs one; `complaint` is the error without it.
    func requiredPreviousResult(_ complaint: String) throws(CNIError) -> CNIResult {
        guard let result = try configuration.previousResult() else { throw CNIError(complaint) }
        return result
    }
}

extension CNIPlugin {
    /// Throws code 50 where the kernel serves no nftables.
    static func checkNFTables() throws {
        do throws(NFTablesError) {
            var socket = try NFTablesSocket()
            _ = try socket.generation()
        } catch {
            throw CNIError(.unavailable, "nftables is not available: \(error)")
        }
    }
}
