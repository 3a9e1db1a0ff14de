import Addresses
import HTTPTypes
import HummingbirdCore
import KubernetesAPI
import NIOCore
import Synchronization

/// Lets only as many requests through as the limits allow; the others are told to come again.
final class LimitedResponder: Sendable {
    private let base: APIResponder
    private let limits: RequestLimits
    private let reading = Atomic(0)
    private let writing = Atomic(0)
    private let rates: Mutex<RateLimiter>
    private let start = ContinuousClock.now

    init(_ base: APIResponder, _ limits: RequestLimits) {
        self.base = base
        self.limits = limits
        rates = Mutex(RateLimiter(rate: limits.maximumRequestRate))
    }

    func respond(to request: Request, _ context: ServerRequestContext) async -> Response {
        guard isWithinRate(context.channel) else { return .tooMany }
        var context = context
        context.target = RequestTarget(path: request.uri.path)
        context.query = Query(request.uri.query)
        guard !Self.isLongRunning(request.method, context.target, context.query) else {
            return await base.respond(to: request, context)
        }
        switch request.method {
        case .get, .head, .options:
            defer { reading.subtract(1, ordering: .relaxed) }
            guard reading.add(1, ordering: .relaxed).newValue <= limits.maximumRequestsInFlight else { return .tooMany }
            return await base.respond(to: request, context)
        default:
            defer { writing.subtract(1, ordering: .relaxed) }
            guard writing.add(1, ordering: .relaxed).newValue <= limits.maximumMutatingRequestsInFlight else {
                return .tooMany
            }
            return await base.respond(to: request, context)
        }
    }

    private func isWithinRate(_ channel: any Channel) -> Bool {
        guard limits.maximumRequestRate > 0 else { return true }
        let now = start.duration(to: .now) / .seconds(1)
        return rates.withLock { $0.admit(Self.client(channel.remoteAddress), now: now) }
    }

    /// The address, or its IPv6 network, since a client there has more addresses than anyone can count.
    private static func client(_ address: SocketAddress?) -> String {
        guard let text = address?.ipAddress, let address = IPAddress(text) else { return "" }
        switch address {
        case .v4: return text
        case .v6: return IPPrefix(address, length: 64).description
        }
    }

    /// Requests that last as long as the client likes: watches, and streams of and to containers.
    static func isLongRunning(_ method: HTTPRequest.Method, _ target: RequestTarget, _ query: Query) -> Bool {
        guard case .resource(let path) = target else { return false }
        switch path.subresource {
        case nil: return method == .get && (path.isWatch || path.name == nil && query.flag("watch"))
        case "log": return method == .get && query.flag("follow")
        case "exec", "attach", "portforward", "proxy": return true
        default: return false
        }
    }
}

extension Response {
    /// The answer to a request beyond a limit.
    fileprivate static var tooMany: Response {
        .failure(.tooManyRequests("Too many requests, please try again later.", retryAfterSeconds: 1))
    }
}
