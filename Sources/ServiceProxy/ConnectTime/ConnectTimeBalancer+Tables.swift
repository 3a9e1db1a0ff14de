internal import Addresses
package import Logging

extension ConnectTimeBalancer {
    /// A balancer that follows tables, if the options want one; else what an earlier one left is taken away.
    ///
    /// Nil too where the kernel cannot even say which network namespace this is: nftables then does all.
    package static func following(
        _ tables: [TableReconciler], options: ProxyOptions, logger: Logger
    ) -> ConnectTimeBalancer? {
        guard let connectTime = options.connectTime else {
            do {
                if try removeLeftovers() {
                    logger.notice("calls of Services are no longer led at connect time: nftables does all")
                }
            } catch {
                logger.error("cannot remove connect-time balancing", metadata: ["error": "\(error)"])
            }
            return nil
        }
        do {
            let balancer = try ConnectTimeBalancer(
                connectTime, answersOnLoopback: options.answersOnLoopback, masqueradesAll: options.masqueradesAll,
                families: Set(tables.map(\.family)), logger: logger)
            for table in tables { table.balancer = balancer }
            return balancer
        } catch {
            logger.warning(
                "calls of Services cannot be led at connect time: nftables does all", metadata: ["reason": "\(error)"])
            return nil
        }
    }
}
