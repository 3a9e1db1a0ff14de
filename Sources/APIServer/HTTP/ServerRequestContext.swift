import Hummingbird
import NIOCore

/// What belongs to one request besides the request itself.
struct ServerRequestContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The connection.
    let channel: any Channel
    /// What the request's path names.
    var target = RequestTarget.other([])
    /// The parameters of the request's query.
    var query = Query(nil)
    /// Who sends the request.
    var user = User.anonymous

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }
}
