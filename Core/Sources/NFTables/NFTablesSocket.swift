internal import CLinux
internal import Linux
internal import Netlink

/// The nftables rule set of the network namespace of the thread that opens the socket.
public struct NFTablesSocket: ~Copyable, Sendable {
    var netlink: NetlinkSocket

    static let headerSize = 4

    /// Opens a socket in the calling thread's network namespace; it stays there.
    public init() throws(NFTablesError) {
        netlink = try Self.reporting { () throws(NetlinkError) in try NetlinkSocket(.netfilter) }
    }

    /// Makes all changes of a transaction, or none; without changes it does not ask the kernel.
    ///
    /// - Parameter generation: what `generation()` returned; throws `Errno.restart` when the rule set has changed since.
    public mutating func commit(
        _ transaction: Transaction, ifGeneration generation: UInt32? = nil
    ) throws(NFTablesError) {
        guard !transaction.isEmpty else { return }
        let batch = EncodedBatch(
            transaction, firstSequence: netlink.reserveSequence(0), generation: generation)
        _ = netlink.reserveSequence(batch.messageCount)
        let errors: [NetlinkError]
        do throws(NetlinkError) {
            errors = try netlink.exchangeBatch(batch.bytes, first: batch.firstSequence)
        } catch {
            throw NFTablesError(error.errno, "transaction of \(batch.messageCount) messages", message: error.message)
        }
        guard let error = errors.min(by: { $0.index < $1.index }) else { return }
        // Message 0 is the beginning of the batch: the kernel names it when all messages were good and the whole failed.
        guard batch.operationIndices.indices.contains(error.index - 1) else {
            throw NFTablesError(error.errno, "commit transaction", message: error.message)
        }
        let index = batch.operationIndices[error.index - 1]
        throw NFTablesError(
            error.errno, transaction.operations[index].description, index: index, message: error.message)
    }

    /// The generation of the rule set; it changes with every transaction, whoever made it.
    public mutating func generation() throws(NFTablesError) -> UInt32 {
        let request = Self.request(NFT_MSG_GETGEN, family: 0) { _ in }
        do throws(NetlinkError) {
            let replies = try netlink.execute(request, "read generation of the rule set")
            return replies.first?.attributes(after: Self.headerSize).number(NFTA_GEN_ID) ?? 0
        } catch {
            throw NFTablesError(error)
        }
    }

    static func request(
        _ message: nf_tables_msg_types, family: UInt8, _ body: (inout NetlinkWriter) -> Void
    ) -> NetlinkRequest {
        var payload = EncodedBatch.header(family: family)
        body(&payload)
        return NetlinkRequest(type: EncodedBatch.type(message), payload: payload)
    }

    private static func reporting<Value: ~Copyable>(
        _ body: () throws(NetlinkError) -> Value
    ) throws(NFTablesError) -> Value {
        do throws(NetlinkError) {
            return try body()
        } catch {
            throw NFTablesError(error)
        }
    }
}
