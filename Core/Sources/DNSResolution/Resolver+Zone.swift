import Addresses
import DNSMessage
import Wire

extension Resolver {
    /// Aliases within the zone that are followed.
    private static let maximumAliases = 8

    /// Answers for a name of the zone, which has so many labels in front of the domain.
    func resolveInZone(labels: Int) -> Step {
        guard let records = snapshot.records(of: name.span, hash: name.hash) else {
            if let step = resolvePod(labels: labels) ?? resolveSearch() { return step }
            return deny(snapshot.isComplete ? .nameError : .serverFailure)
        }
        return answer(records)
    }

    /// Answers with the records of a name, or with what its alias leads to.
    private func answer(_ first: NameRecords) -> Step {
        var records = first
        var aliases = 0
        while let alias = records.aliasTarget {
            guard appendAlias(alias.raw, ttl: records.others[0].ttl) else { return .done(.noError) }
            if query.type == .cname || query.type == .any { return .done(.noError) }
            aliases += 1
            guard aliases <= Self.maximumAliases, target.set(alias) else { return .done(.serverFailure) }
            followsTarget = true
            guard target.labels(before: snapshot.settings.foldedDomain) != nil else { return resolveOutside() }
            guard let next = snapshot.records(of: target.span, hash: target.hash) else {
                return deny(snapshot.isComplete ? .nameError : .serverFailure)
            }
            records = next
        }
        let before = counts.answer
        switch query.type {
        case .a: if allows(.ipv4) { appendAddresses(records, .ipv4) }
        case .aaaa: if allows(.ipv6) { appendAddresses(records, .ipv6) }
        case .any:
            if allows(.ipv4) { appendAddresses(records, .ipv4) }
            if allows(.ipv6) { appendAddresses(records, .ipv6) }
            appendOthers(records)
        case .soa where records.nameSize == snapshot.settings.foldedDomain.count: appendStart()
        default: appendOthers(records)
        }
        guard counts.answer == before, !isTruncated else { return .done(.noError) }
        // Before the content is complete, absence proves nothing.
        return deny(snapshot.isComplete ? .noError : .serverFailure)
    }

    /// Whether addresses of a family are of use to the client.
    func allows(_ family: IPFamily) -> Bool {
        !treatment.contains(.filter) || profile.has(family) || profile.isUnknown
    }

    /// Writes a negative answer.
    func deny(_ code: DNSResponseCode) -> Step {
        if code != .serverFailure { appendAuthority() }
        return .done(code)
    }

    private func appendOthers(_ records: NameRecords) {
        let wanted = query.type
        let end = counts.answer
        // Indices, here and in the loops like this one: an iterator costs memory in builds that are not optimised.
        for index in records.others.indices {
            let other = records.others[index]
            guard wanted == .any || other.type == wanted.rawValue else { continue }
            guard append(other.type, ttl: other.ttl, other.data.raw) else { return }
        }
        guard counts.answer > end, wanted == .srv || wanted == .ns else { return }
        let leading = wanted == .srv ? 6 : 0
        var position = query.questionEnd
        for index in records.others.indices where records.others[index].type == wanted.rawValue {
            let other = records.others[index]
            let bytes = other.data
            let data = bytes.raw
            appendAdditional(data.extracting(leading..<data.byteCount), at: position + 12 + leading)
            position += 12 + data.byteCount
        }
    }

    /// Answers with the start of authority itself.
    private func appendStart() {
        appendAuthority()
        counts.answer += counts.authority
        counts.authority = 0
    }

    /// Answers for an address of a Service or endpoint.
    func resolvePointer(_ names: [NameRecords]) -> Step {
        guard query.type == .ptr || query.type == .any else { return deny(.noError) }
        for index in names.indices {
            let records = names[index]
            let bytes = records.bytes
            let data = bytes.raw.extracting(0..<records.nameSize)
            guard append(DNSRecordType.ptr.rawValue, ttl: snapshot.settings.ttl, data) else { break }
        }
        return .done(.noError)
    }

    /// Answers for a name such as `10-0-0-1.default.pod.cluster.local`; nil for other names.
    private func resolvePod(labels: Int) -> Step? {
        let settings = snapshot.settings
        guard settings.pods != .disabled, labels == 3, name.labels(before: settings.foldedPods) == 2 else { return nil }
        let bytes = name.bytes
        let namespace = bytes.raw.extracting(name.start(ofLabel: 1)..<name.size)
        guard snapshot.records(of: namespace, hash: NameHash.hash(namespace)) != nil,
            let address = name.dashedAddress(0, scratch: &scratch)
        else { return nil }
        if settings.pods == .verified {
            guard let found = snapshot.profile(of: address),
                found.isIn(namespace.extracting(0..<(Int(namespace[byte: 0]) + 1)))
            else { return nil }
        }
        let type = address.family == .ipv4 ? DNSRecordType.a : .aaaa
        guard query.type == type || query.type == .any, allows(address.family) else { return deny(.noError) }
        switch address {
        case .v4(let address): appendNumber(type, address.rawValue, ttl: settings.ttl)
        case .v6(let address): appendNumber(type, address.rawValue, ttl: settings.ttl)
        }
        return .done(.noError)
    }

    /// Writes a record whose data is a number.
    func appendNumber<Value: FixedWidthInteger & BitwiseCopyable>(_ type: DNSRecordType, _ value: Value, ttl: UInt32) {
        let size = MemoryLayout<Value>.size
        guard buffer.hasRoom(for: 12 + size) else {
            isTruncated = true
            return
        }
        buffer.append(owner)
        buffer.append(type.rawValue)
        buffer.append(DNSClass.internet.rawValue)
        buffer.append(ttl)
        buffer.append(UInt16(size))
        buffer.append(value)
        counts.answer += 1
    }

    private func isNamespaceOfClient(label: Int) -> Bool {
        let bytes = name.bytes
        return profile.isIn(bytes.raw.extracting(name.start(ofLabel: label)..<name.start(ofLabel: label + 1)))
    }

    /// Walks the search list of the client's pod in one go; nil where the question is not the first of a search.
    private func resolveSearch() -> Step? {
        let settings = snapshot.settings
        guard settings.searchShortcut != nil, snapshot.isComplete, !profile.namespace.isEmpty,
            query.type == .a || query.type == .aaaa,
            let labels = name.labels(before: settings.foldedServices), labels >= 2
        else { return nil }
        guard isNamespaceOfClient(label: labels - 1) else { return nil }
        for index in settings.foldedSearches.indices {
            let search = settings.foldedSearches[index]
            guard target.set(name, labels: labels - 1, suffix: search) else { continue }
            let start = buffer.count
            followsTarget = true
            guard appendAlias(target.span, ttl: settings.ttl) else { return .done(.noError) }
            if target.labels(before: settings.foldedDomain) != nil {
                if let records = snapshot.records(of: target.span, hash: target.hash) { return answer(records) }
            } else {
                let step = resolveOutside()
                guard case .done(.nameError) = step else { return step }
            }
            buffer.truncate(to: start)
            counts = Counts()
            owner = NameRecords.questionPointer
            followsTarget = false
            source = .cluster
        }
        return nil
    }
}
