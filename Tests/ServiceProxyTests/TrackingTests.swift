import Addresses
import Linux
import Logging
import ServiceProxy
import Testing

@Suite("The kernel's tracking of connections")
struct TrackingTests {
    private static let limit = "net/netfilter/nf_conntrack_max"
    private static let established = "net/netfilter/nf_conntrack_tcp_timeout_established"
    private static let closeWait = "net/netfilter/nf_conntrack_tcp_timeout_close_wait"
    private static let liberal = "net/netfilter/nf_conntrack_tcp_be_liberal"

    /// Rows: what is asked for, on so many processors, and the parameters.
    static let rows: [(limits: TrackingLimits, processors: Int, parameters: [String: Int])] = [
        (TrackingLimits(), 2, [limit: 131_072, established: 86_400, closeWait: 3_600]),
        (TrackingLimits(), 64, [limit: 2_097_152, established: 86_400, closeWait: 3_600]),
        (TrackingLimits(perProcessor: .max, establishedSeconds: 0), 64, [limit: .max, closeWait: 3_600]),
        (TrackingLimits(perProcessor: 0, establishedSeconds: 0, closeWaitSeconds: 0, isLiberal: true), 8, [liberal: 1]),
    ]

    @Test("It follows the processors, and what is zero stays", arguments: rows.indices)
    func parameters(row: Int) {
        let (limits, processors, parameters) = Self.rows[row]
        #expect(limits.parameters(processors: processors) == parameters)
    }

    @Test("It is set where it may be, and the limit never lowered", .enabled(if: NodeLab.isPossible))
    func applies() throws {
        let lab = try NodeLab()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        try lab.run(in: "node") {
            _ = try LinuxConnection()
            let before = try #require(Int(try Sysctl.get(Self.limit)))
            TrackingLimits(perProcessor: 1, establishedSeconds: 4_321, closeWaitSeconds: 99, isLiberal: true)
                .apply(logger: logger)
            #expect(try Int(Sysctl.get(Self.limit)) ?? 0 >= before)
            #expect(try Sysctl.get(Self.established) == "4321")
            #expect(try Sysctl.get(Self.closeWait) == "99")
            #expect(try Sysctl.get(Self.liberal) == "1")
        }
    }
}
