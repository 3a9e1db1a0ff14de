import APIServer
import ArgumentParser

/// What clients of the server may take.
struct LimitOptions: ParsableArguments {
    @Option(help: "Reading requests at the same time, watches and streams not counted.")
    var maxRequestsInflight = 400

    @Option(help: "Writing requests at the same time.")
    var maxMutatingRequestsInflight = 200

    @Option(help: "Requests a second from one address; 0 is any number.")
    var maxRequestRate = 0

    @Option(help: "Open connections.")
    var maxConnections = 10_000

    @Option(help: "Seconds that a client has to send a request, its body included.")
    var requestTimeout = 60

    func validate() throws {
        guard maxRequestsInflight > 0, maxMutatingRequestsInflight > 0, maxConnections > 0, requestTimeout > 0 else {
            throw ValidationError("limits must be above 0")
        }
        guard maxRequestRate >= 0 else { throw ValidationError("--max-request-rate must not be below 0") }
    }

    /// The limits as the server takes them.
    var limits: RequestLimits {
        var limits = RequestLimits()
        limits.maximumRequestsInFlight = maxRequestsInflight
        limits.maximumMutatingRequestsInFlight = maxMutatingRequestsInflight
        limits.maximumRequestRate = maxRequestRate
        limits.maximumConnections = maxConnections
        limits.requestTimeout = requestTimeout
        return limits
    }
}
