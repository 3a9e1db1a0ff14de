import Addresses
import DNSMessage
import Wire

extension Resolver {
    /// What is known about a question.
    enum Fact {
        case known(CachedAnswer, age: UInt32, isStale: Bool)
        case missing
    }

    /// Answers for `name`, or for `target` where that is followed, from what other servers say.
    func resolveOutside() -> Step {
        if let step = resolveSpecial() { return step }
        if query.type == .aaaa, !allows(.ipv6) { return filtered() }
        if query.type == .a, !allows(.ipv4) { return filtered() }
        let main = fact(query.type)
        guard case .known(let answer, let age, let isStale) = main else { return .missing(key(query.type)) }
        if query.type == .aaaa, wantsSynthesis, answer.code != .nameError {
            return resolveSynthesized(answer, age: age, isStale: isStale)
        }
        return append(answer, age: age, isStale: isStale)
    }

    /// Answers that there is no record of a family that the client does not have, unless the name is known not to exist.
    private func filtered() -> Step {
        source = .filtered
        let other: DNSRecordType = query.type == .a ? .aaaa : .a
        if case .known(let answer, _, _) = fact(other), answer.code == .nameError { return deny(.nameError) }
        return deny(.noError)
    }

    /// The question in the form that the forwarder takes.
    func key(_ type: DNSRecordType) -> FactKey {
        let bytes = followsTarget ? target.bytes[..<target.size] : name.bytes[..<name.size]
        return FactKey(
            name: Array(bytes), type: type, wantsDNSSEC: query.wantsDNSSEC,
            isCheckingDisabled: query.flags.contains(.checkingDisabled))
    }

    /// What is known about a type of the name, given the patience of the client.
    func fact(_ type: DNSRecordType) -> Fact {
        let options = FactKey.options(query.wantsDNSSEC, query.flags.contains(.checkingDisabled))
        let found = followsTarget ? cache.find(target, type, options) : cache.find(name, type, options)
        guard let answer = found else { return .missing }
        source = attempt == .first ? .cache : .upstream
        let age = UInt32(truncatingIfNeeded: max(now - answer.stored, 0) / 1000)
        use(answer)
        if now <= answer.expires {
            return .known(answer, age: age, isStale: false)
        }
        guard !answer.isFailure, self.options.staleSeconds > 0,
            now - answer.expires <= Int64(self.options.staleSeconds) * 1000,
            attempt == .late || now < answer.staleUntil
        else { return .missing }
        source = .stale
        return .known(answer, age: age, isStale: true)
    }

    /// Counts a use of an answer, and notes one that is in the last tenth of its lifetime.
    func use(_ answer: CachedAnswer) {
        answer.hits &+= 1
        guard now <= answer.expires, !answer.isRefreshing, answer.ttl >= 10, answer.hits >= 3, !answer.isFailure,
            (answer.expires - now) * 10 <= Int64(answer.ttl) * 1000
        else { return }
        answer.isRefreshing = true
        refreshes.append(answer.key)
    }

    /// Writes what another server answered.
    func append(_ answer: CachedAnswer, age: UInt32, isStale: Bool, excluding: Bool = false) -> Step {
        isAuthentic = answer.isAuthentic && !followsTarget
        let bytes = answer.bytes
        for index in 0..<answer.answerCount {
            let item = answer.items[index]
            let data = bytes.raw.extracting(item.data)
            if excluding, item.type == DNSRecordType.aaaa.rawValue,
                !options.dns64.accepts(data.load(UInt128.self, at: 0))
            {
                continue
            }
            guard append(item, answer, ttl(item, age, isStale)) else { break }
        }
        if answer.answerCount == 0 || !answer.hasData {
            for index in answer.answerCount..<answer.items.count {
                let item = answer.items[index]
                guard appendAuthority(item, answer, ttl(item, age, isStale)) else { break }
            }
        }
        return .done(answer.code)
    }

    func ttl(_ item: CachedAnswer.Item, _ age: UInt32, _ isStale: Bool) -> UInt32 {
        isStale ? ResolverOptions.staleTTL : item.ttl > age ? item.ttl - age : 0
    }

    /// Writes a record of the answer section; an alias makes its target the owner of what follows.
    func append(_ item: CachedAnswer.Item, _ answer: CachedAnswer, _ ttl: UInt32) -> Bool {
        let bytes = answer.bytes
        let data = bytes.raw.extracting(item.data)
        guard item.owner.isEmpty else {
            guard appendWhole(item, answer, ttl) else {
                isTruncated = true
                return false
            }
            counts.answer += 1
            return true
        }
        let isAlias = item.type == DNSRecordType.cname.rawValue && query.type != .cname && query.type != .any
        return isAlias ? appendAlias(data, ttl: ttl) : append(item.type, ttl: ttl, data)
    }

    private func appendAuthority(_ item: CachedAnswer.Item, _ answer: CachedAnswer, _ ttl: UInt32) -> Bool {
        guard appendWhole(item, answer, ttl) else { return false }
        counts.authority += 1
        return true
    }

    /// Writes a record with its owner, which is a pointer where the question ends with it.
    private func appendWhole(_ item: CachedAnswer.Item, _ answer: CachedAnswer, _ ttl: UInt32) -> Bool {
        guard buffer.hasRoom(for: item.owner.count + 10 + item.data.count) else { return false }
        let array = answer.bytes
        let bytes = array.raw
        let asked = name.bytes
        let start = name.size - item.owner.count
        if start >= 0, item.owner.count > 2,
            asked.raw.extracting(start..<name.size).isEqual(to: bytes.extracting(item.owner))
        {
            buffer.append(0xC000 | UInt16(DNSHeader.size + start))
        } else {
            buffer.append(bytes.extracting(item.owner))
        }
        buffer.append(item.type)
        buffer.append(DNSClass.internet.rawValue)
        buffer.append(ttl)
        buffer.append(UInt16(truncatingIfNeeded: item.data.count))
        buffer.append(bytes.extracting(item.data))
        return true
    }
}
