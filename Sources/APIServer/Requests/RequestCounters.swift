import HTTPTypes
import HummingbirdCore
import Synchronization

/// Counts the requests for resources, for `/metrics`.
final class RequestCounters: Sendable {
    /// What requests are counted by.
    struct Key: Hashable, Sendable {
        /// Index of the resource.
        let index: Int
        /// The verb, in Kubernetes' words.
        let verb: Verb
        /// Status code of the answer.
        let code: Int
    }

    /// A verb as `apiserver_request_total` names it.
    enum Verb: String, Sendable {
        case get = "GET"
        case list = "LIST"
        case watch = "WATCH"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case apply = "APPLY"
        case delete = "DELETE"
        case deleteCollection = "DELETECOLLECTION"
        case connect = "CONNECT"
        case other

        init(_ request: Request, _ path: RequestTarget.ResourcePath, _ query: Query) {
            if ["exec", "attach", "portforward", "proxy"].contains(path.subresource) {
                self = .connect
                return
            }
            switch request.method {
            case .get, .head:
                let isWatch = path.isWatch || (path.name == nil && query.flag("watch"))
                self = isWatch ? .watch : path.name == nil ? .list : .get
            case .post: self = .post
            case .put: self = .put
            case .patch:
                let type = request.headers[.contentType].map { MediaRange($0).type }
                self = type == AppliedConfiguration.mediaType ? .apply : .patch
            case .delete: self = path.name == nil ? .deleteCollection : .delete
            default: self = .other
            }
        }
    }

    private let counts = Mutex<[Key: Int]>([:])

    /// Counts a request.
    func count(_ key: Key) {
        counts.withLock { $0[key, default: 0] += 1 }
    }

    /// The counts so far, in a lasting order.
    var all: [(key: Key, count: Int)] {
        counts.withLock { counts in counts.map { (key: $0.key, count: $0.value) } }.sorted {
            ($0.key.index, $0.key.verb.rawValue, $0.key.code) < ($1.key.index, $1.key.verb.rawValue, $1.key.code)
        }
    }
}
