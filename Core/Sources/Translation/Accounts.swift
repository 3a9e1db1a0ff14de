/// What a translator counts, and the limit of what it answers.
struct Accounts: Sendable {
    var counters = TranslationCounters()
    private let options: TranslationOptions
    private var replies: TokenBucket

    init(_ options: TranslationOptions) {
        self.options = options
        replies = TokenBucket(perSecond: options.repliesPerSecond)
    }

    /// Counts what has become of a packet, and answers it if it was refused.
    @_lifetime(buffer: copy buffer)
    mutating func conclude(
        _ result: Result<Outcome, Refusal>, _ buffer: inout MutableRawSpan, _ packet: Range<Int>, at now: Timestamp
    ) -> Outcome {
        switch result {
        case .success(let outcome):
            count(outcome)
            return outcome
        case .failure(let refusal): return refuse(refusal, &buffer, packet, at: now)
        }
    }

    /// Counts a packet that was dropped, and makes the ICMP error that its sender is due.
    @_lifetime(buffer: copy buffer)
    mutating func refuse(
        _ refusal: Refusal, _ buffer: inout MutableRawSpan, _ packet: Range<Int>, at now: Timestamp
    ) -> Outcome {
        counters.count(dropped: refusal.reason)
        guard let answer = refusal.answer else { return .drop(refusal.reason) }
        guard replies.take(at: now) else {
            counters.suppressedReplies &+= 1
            return .drop(refusal.reason)
        }
        guard let reply = options.reply(&buffer, to: packet, answer) else { return .drop(refusal.reason) }
        counters.replies &+= 1
        return .reply(reply, refusal.reason)
    }

    /// Counts a packet that was translated.
    mutating func count(_ outcome: Outcome) {
        switch outcome {
        case .forward(let range, let family), .segments(let range, let family, _):
            counters.count(forwarded: range.count, as: family)
        case .fragments(let fragmenter): counters.count(forwarded: fragmenter.count, as: fragmenter.family)
        case .reply, .held, .handOver, .drop: break
        }
    }
}
