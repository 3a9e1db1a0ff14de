import NIOCore

/// What belongs to one request besides the request itself.
struct ServerRequestContext: Sendable {
    /// The connection.
    let channel: any Channel
    /// Succeeds when the connection ends, or shall end as soon as its request is answered.
    let isEnding: EventLoopFuture<Void>
    /// What the request's path names.
    var target = RequestTarget.other([])
    /// The parameters of the request's query.
    var query = Query(nil)
    /// Who sends the request.
    var user = User.anonymous

    init(channel: any Channel, isEnding: EventLoopFuture<Void>) {
        self.channel = channel
        self.isEnding = isEnding
    }
}
