import Addresses
import DNSMessage
import Wire

extension Resolver {
    /// Lifetime of synthesized records where nothing says how long the absence of AAAA records lasts (RFC 6147 §5.1.7).
    private static let synthesizedTTL: UInt32 = 600
    /// The lifetime of records about the prefixes themselves.
    private static let specialTTL: UInt32 = 3600
    /// The addresses of `ipv4only.arpa` (RFC 7050 §8).
    private static let wellKnownIPv4 = [IPv4Address(rawValue: 0xC000_00AA), IPv4Address(rawValue: 0xC000_00AB)]
    private static let wellKnownName = DNSName("ipv4only.arpa")?.wire ?? []

    /// Whether IPv6 addresses are made for this client, and the query does not forbid it (RFC 6147 §5.5).
    var wantsSynthesis: Bool {
        treatment.contains(.synthesize) && !options.dns64.prefixes.isEmpty
            && !(query.wantsDNSSEC && query.flags.contains(.checkingDisabled))
    }

    /// Answers for names whose meaning the prefixes decide; nil for all others.
    func resolveSpecial() -> Step? {
        guard followsTarget ? target.isInfrastructure : name.isInfrastructure else { return nil }
        if let count = followsTarget
            ? target.labels(before: Self.wellKnownName) : name.labels(before: Self.wellKnownName)
        {
            return count == 0 ? resolveWellKnown() : denySpecial(.nameError)
        }
        guard !followsTarget, let address = name.reverseAddress() else { return nil }
        if case .v4(let address) = address, Self.wellKnownIPv4.contains(address) {
            guard query.type == .ptr || query.type == .any else { return denySpecial(.noError) }
            source = .synthesized
            _ = append(DNSRecordType.ptr.rawValue, ttl: Self.specialTTL, Self.wellKnownName.raw)
            return .done(.noError)
        }
        guard case .v6(let address) = address, query.type == .ptr, let origin = options.dns64.origin(of: address) else {
            return nil
        }
        return resolveOrigin(origin)
    }

    /// Answers for `ipv4only.arpa` itself, which is never asked for elsewhere (RFC 8880 §7.1).
    private func resolveWellKnown() -> Step {
        source = .synthesized
        switch query.type {
        case .a:
            for address in Self.wellKnownIPv4 { appendNumber(.a, address.rawValue, ttl: Self.specialTTL) }
        case .aaaa where wantsSynthesis:
            for prefix in options.dns64.prefixes {
                for address in Self.wellKnownIPv4 {
                    appendNumber(.aaaa, prefix.embedding(address).rawValue, ttl: Self.specialTTL)
                }
            }
        default: return denySpecial(.noError)
        }
        return .done(.noError)
    }

    private func denySpecial(_ code: DNSResponseCode) -> Step {
        source = .synthesized
        return deny(code)
    }

    /// Answers for the name of a synthesized address with that of the IPv4 address in it (RFC 6147 §5.3.1).
    private func resolveOrigin(_ origin: IPv4Address) -> Step {
        target.setReverse(of: origin)
        followsTarget = true
        guard appendAlias(target.span, ttl: Self.synthesizedTTL) else { return .done(.noError) }
        if snapshot.leadsBack(.v4(origin)) { return resolvePointer(.v4(origin)) }
        guard case .known(let answer, let age, let isStale) = fact(.ptr) else { return .missing(key(.ptr)) }
        let step = append(answer, age: age, isStale: isStale)
        if case .done(.nameError) = step { return .done(.noError) }
        return step
    }

    /// Answers an AAAA question for which another server's answer is at hand: with that, if it has addresses that count,
    /// or else with addresses made of the name's IPv4 addresses.
    func resolveSynthesized(_ answer: CachedAnswer, age: UInt32, isStale: Bool) -> Step {
        if !isStale, !followsTarget, let ready = answer.ready, useReady(ready) { return .done(.noError) }
        var hasAccepted = false
        let bytes = answer.bytes
        for index in 0..<answer.answerCount where answer.items[index].type == DNSRecordType.aaaa.rawValue {
            let item = answer.items[index]
            let address = bytes.raw.extracting(item.data).load(UInt128.self, at: 0)
            if options.dns64.accepts(address) { hasAccepted = true }
        }
        if hasAccepted { return append(answer, age: age, isStale: isStale, excluding: true) }
        guard case .known(let inner, let innerAge, let innerStale) = fact(.a) else { return .missing(key(.a)) }
        let absence = answer.isFailure ? nil : answer.negativeTTL
        let limit = absence.map { $0 > age ? $0 - age : 0 } ?? Self.synthesizedTTL
        let start = (buffer.count, counts, owner)
        var made = 0
        let innerBytes = inner.bytes
        if inner.code == .noError, inner.hasData {
            for index in 0..<inner.answerCount {
                let item = inner.items[index]
                let lifetime = min(ttl(item, innerAge, innerStale), innerStale ? ResolverOptions.staleTTL : limit)
                switch item.type {
                case DNSRecordType.a.rawValue:
                    let bits = innerBytes.raw.extracting(item.data).load(UInt32.self, at: 0)
                    for index in options.dns64.prefixes.indices {
                        let prefix = options.dns64.prefixes[index]
                        guard let address = options.dns64.synthesize(IPv4Address(rawValue: bits), prefix) else {
                            continue
                        }
                        appendNumber(.aaaa, address.rawValue, ttl: lifetime)
                        made += 1
                    }
                case DNSRecordType.cname.rawValue, 39:
                    guard append(item, inner, ttl(item, innerAge, innerStale)) else { return .done(.noError) }
                default: break  // signatures of what has been replaced
                }
            }
        }
        if made > 0 {
            source = .synthesized
            // What is asked once is not worth keeping: the two questions behind it have used it twice by now.
            if answer.hits > 2, !isStale, !innerStale, !isTruncated, !followsTarget, start.1 == Counts() {
                answer.ready = ReadyAnswer(
                    buffer, from: start.0, count: counts.answer, made: now,
                    expires: min(answer.expires, inner.expires), origin: inner)
            }
            return .done(.noError)
        }
        buffer.truncate(to: start.0)
        (counts, owner) = (start.1, start.2)
        return append(answer, age: age, isStale: isStale, excluding: true)
    }

    /// Copies an answer that has been made before; false if it is of no use any more.
    private func useReady(_ ready: ReadyAnswer) -> Bool {
        guard ready.append(to: buffer, now: now) else { return false }
        counts.answer = ready.count
        source = .synthesized
        use(ready.origin)
        return true
    }
}
