public import Addresses
import DNSMessage
import Wire

/// Turns the bytes of a query into the bytes of an answer, from the snapshot of the zone and the answers of other servers
/// that are at hand.
///
/// An answer is a function of both: where a fact is missing the outcome names it, and once it has been fetched the same
/// query is resolved again. A query whose facts are at hand allocates nothing. It belongs to one thread.
public final class Resolver {
    /// What became of a query.
    public enum Outcome {
        /// The answer is in the buffer.
        case reply
        /// Another server must be asked; then the query is to be resolved again.
        case needs(FactKey)
        /// There is no answer.
        case ignore
    }

    /// What the answers come from.
    public var snapshot: ZoneSnapshot
    /// What other servers answered.
    public let cache: AnswerCache
    /// Answers that are in use and near their end: they are to be asked for again.
    public var refreshes: [FactKey] = []
    let options: ResolverOptions
    let metrics: ResolverMetrics
    /// Where the answer is written: into memory of its own, or into what `borrow` has been given.
    public let buffer: MessageBuffer
    var name = FoldedName()
    /// What an alias or a search has led to.
    var target = FoldedName()
    /// Whether `target` is asked for in place of `name`.
    var followsTarget = false
    var query = Query()
    var profile = ClientProfile(families: [])
    var treatment = Treatment.pass
    var attempt = Attempt.first
    var now: Int64 = 0
    var source = AnswerSource.cluster
    /// The records in each section of the answer.
    var counts = Counts()
    var isTruncated = false
    var isAuthentic = false
    /// The name that the next record belongs to: a pointer.
    var owner = NameRecords.questionPointer
    /// Which address comes first; it changes with each answer, so that clients spread.
    var rotation: UInt = 0
    var scratch: [UInt8] = []

    struct Counts: Equatable {
        var answer: UInt16 = 0
        var authority: UInt16 = 0
        var additional: UInt16 = 0
    }

    /// The outcome of a step that may want a fact.
    enum Step {
        case done(DNSResponseCode)
        case missing(FactKey)
    }

    /// Makes a resolver that writes its answers into one buffer.
    public init(
        snapshot: ZoneSnapshot, cache: AnswerCache, options: ResolverOptions, metrics: ResolverMetrics,
        buffer: MessageBuffer
    ) {
        self.snapshot = snapshot
        self.cache = cache
        self.options = options
        self.metrics = metrics
        self.buffer = buffer
        scratch.reserveCapacity(64)
    }

    /// Resolves a query, and leaves the answer in the buffer.
    ///
    /// - Parameter now: milliseconds on a clock that never goes back.
    public func resolve(
        _ message: RawSpan, isDatagram: Bool, client: IPAddress, now: Int64, attempt: Attempt = .first
    ) -> Outcome {
        self.now = now
        self.attempt = attempt
        source = .cluster
        switch query.read(message, isDatagram: isDatagram, name: &name) {
        case .ignore: return .ignore
        case .refuse(let code, let hasQuestion):
            source = .refusal
            begin(message, hasQuestion: hasQuestion)
            finish(code, client, isAuthoritative: false)
            return .reply
        case .answer: break
        }
        begin(message, hasQuestion: true)
        guard let neighbour = snapshot.clientPrefixes.profile(of: client) else {
            source = .refusal
            finish(.refused, client, isAuthoritative: false)
            return .reply
        }
        profile = snapshot.profile(of: client) ?? neighbour
        treatment = options.policy.treatment(of: profile)
        let step: Step
        let isOurs: Bool
        if query.type == .axfr || query.type == .ixfr {
            source = .refusal
            isOurs = false
            step = .done(.refused)
        } else if let labels = name.labels(before: snapshot.settings.foldedDomain) {
            isOurs = true
            step = resolveInZone(labels: labels)
        } else if let address = name.reverseAddress(), snapshot.leadsBack(address) {
            isOurs = true
            step = resolvePointer(address)
        } else {
            isOurs = false
            step = resolveOutside()
        }
        switch step {
        case .missing(let key): return .needs(key)
        case .done(let code):
            finish(code, client, isAuthoritative: isOurs && code != .serverFailure && source != .refusal)
            return .reply
        }
    }
}

/// How often a query has been resolved without an answer, and what is taken by now.
public enum Attempt: Sendable {
    /// The first time: facts that are fresh.
    case first
    /// After a fact has come, or has turned out not to come.
    case again
    /// As `again`, and facts that are no longer fresh too (RFC 8767), since the client does not wait any longer.
    case late
}

/// What a resolver does for whom.
public struct ResolverOptions: Sendable {
    /// The treatment of clients by their families.
    public var policy = TreatmentPolicy()
    /// How IPv6 addresses are made.
    public var dns64 = DNS64()
    /// How long answers may be used after their end while no server answers, in seconds; 0 for not at all.
    public var staleSeconds: UInt32 = 86400

    /// The lifetime of stale records in answers, in seconds (RFC 8767 §4).
    static let staleTTL: UInt32 = 30

    /// Makes the usual options.
    public init() {}
}
