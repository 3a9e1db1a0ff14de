/// Why a local cluster could not be made, shown or removed: what failed, on which object, and what to do about it.
public struct LocalClusterError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What failed, on which object, and why.
    public let problem: String
    /// What the user can do; empty when the problem says it all.
    public let remedy: String

    /// An error with its way out.
    public init(_ problem: String, remedy: String = "") {
        self.problem = problem
        self.remedy = remedy
    }

    /// The problem, and the remedy on a line of its own.
    public var description: String {
        remedy.isEmpty ? problem : "\(problem)\n  \(remedy)"
    }
}
