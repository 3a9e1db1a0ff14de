internal import Glibc
internal import Linux
package import Logging

/// How many connections the kernel tracks, and for how long: it tracks all of Services.
///
/// The defaults are those of kube-proxy.
public struct TrackingLimits: Hashable, Sendable {
    /// How many connections for each processor; zero leaves the kernel's limit as it is.
    ///
    /// A higher limit is never lowered.
    public var perProcessor: Int
    /// For how many seconds a TCP connection without packets is remembered; zero leaves the kernel's time as it is.
    public var establishedSeconds: Int
    /// The same for one that one end has closed.
    public var closeWaitSeconds: Int
    /// Whether packets outside of a TCP connection's window count as its own, not as invalid.
    public var isLiberal: Bool

    /// The limit is never lower, however few processors there are.
    private static let least = 131_072
    private static let limit = "net/netfilter/nf_conntrack_max"

    /// Limits.
    public init(
        perProcessor: Int = 32_768, establishedSeconds: Int = 86_400, closeWaitSeconds: Int = 3_600,
        isLiberal: Bool = false
    ) {
        self.perProcessor = perProcessor
        self.establishedSeconds = establishedSeconds
        self.closeWaitSeconds = closeWaitSeconds
        self.isLiberal = isLiberal
    }

    /// The kernel's parameters and what they should be, on a machine with so many processors.
    package func parameters(processors: Int) -> [String: Int] {
        var parameters: [String: Int] = [:]
        if perProcessor > 0 {
            let product = perProcessor.multipliedReportingOverflow(by: processors)
            parameters[Self.limit] = max(product.overflow ? .max : product.partialValue, Self.least)
        }
        for (seconds, state) in [(establishedSeconds, "established"), (closeWaitSeconds, "close_wait")]
        where seconds > 0 {
            parameters["net/netfilter/nf_conntrack_tcp_timeout_\(state)"] = seconds
        }
        if isLiberal { parameters["net/netfilter/nf_conntrack_tcp_be_liberal"] = 1 }
        return parameters
    }

    /// Sets the parameters in the network namespace of the calling thread; what may not be set there is told and left.
    package func apply(logger: Logger) {
        for (name, value) in parameters(processors: Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) {
            do throws(SystemError) {
                if name == Self.limit, let current = Int(try Sysctl.get(name)), current >= value { continue }
                try Sysctl.set(name, "\(value)")
            } catch {
                logger.notice(
                    "the kernel's tracking of connections stays as it is",
                    metadata: ["parameter": "\(name)", "wanted": "\(value)", "error": "\(error)"])
            }
        }
    }
}
