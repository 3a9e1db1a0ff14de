import Addresses
import DNSMessage
import Wire

extension Resolver {
    /// Aliases within the zone that are followed.
    private static let maximumAliases = 8

    /// Answers for a name of the zone, which has so many labels in front of the domain.
    func resolveInZone(labels: Int) -> Step {
        guard let entry = find(name.span, name.hash) else {
            if let step = resolvePod(labels: labels) ?? resolveSearch() { return step }
            return deny(absence(.nameError))
        }
        return answer(entry)
    }

    /// What exists under a name.
    private enum Entry {
        case records(NameRecords)
        /// The endpoint that is named after this address.
        case endpoint(IPAddress)
    }

    @inline(__always)
    private func find(_ name: RawSpan, _ hash: UInt64) -> Entry? {
        if let records = snapshot.records(of: name, hash: hash) { return .records(records) }
        return snapshot.endpoint(named: name, scratch: &scratch).map(Entry.endpoint)
    }

    /// A code that says that something is absent; before the content is complete, nothing can say so.
    private func absence(_ code: DNSResponseCode) -> DNSResponseCode { snapshot.isComplete ? code : .serverFailure }

    /// Answers with what exists under a name, or with what its alias leads to.
    private func answer(_ first: Entry) -> Step {
        var entry = first
        var aliases = 0
        while case .records(let records) = entry, let alias = records.aliasTarget {
            guard appendAlias(alias.raw, ttl: records.others[0].ttl) else { return .done(.noError) }
            if query.type == .cname || query.type == .any { return .done(.noError) }
            aliases += 1
            guard aliases <= Self.maximumAliases, target.set(alias) else { return .done(.serverFailure) }
            followsTarget = true
            guard target.labels(before: snapshot.settings.foldedDomain) != nil else { return resolveOutside() }
            guard let next = find(target.span, target.hash) else { return deny(absence(.nameError)) }
            entry = next
        }
        switch entry {
        case .endpoint(let address): return appendAddress(address) ? .done(.noError) : deny(absence(.noError))
        case .records(let records): return answer(records)
        }
    }

    private func answer(_ records: NameRecords) -> Step {
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
        return deny(absence(.noError))
    }

    /// Writes an address if it is asked for, and of use to the client; false if not.
    private func appendAddress(_ address: IPAddress) -> Bool {
        let type = address.family == .ipv4 ? DNSRecordType.a : .aaaa
        guard query.type == type || query.type == .any, allows(address.family) else { return false }
        switch address {
        case .v4(let address): appendNumber(type, address.rawValue, ttl: snapshot.settings.ttl)
        case .v6(let address): appendNumber(type, address.rawValue, ttl: snapshot.settings.ttl)
        }
        return true
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
        let located = buffer.count
        if let location = records.location, wanted == .srv || wanted == .any {
            guard appendLocations(location, .ipv4, records.ttl), appendLocations(location, .ipv6, records.ttl) else {
                return
            }
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
        guard wanted == .srv, let location = records.location else { return }
        position = located
        appendAdditional(location, .ipv4, from: &position)
        appendAdditional(location, .ipv6, from: &position)
    }

    /// Writes where a port is at each endpoint of a Service; false, and the answer marked as truncated, if not all fit.
    private func appendLocations(_ location: NameRecords.Location, _ family: IPFamily, _ ttl: UInt32) -> Bool {
        let service = location.service
        let range = service.endpoints(of: family)
        var place = range.lowerBound
        while place < range.upperBound {
            scratch.removeAll(keepingCapacity: true)
            AddressLabel.append(service.address(at: place, family), to: &scratch)
            let size = 7 + scratch.count + service.nameSize
            guard buffer.hasRoom(for: 12 + size) else {
                isTruncated = true
                return false
            }
            appendHead(DNSRecordType.srv.rawValue, ttl: ttl, size: size)
            buffer.append(UInt16(0))
            buffer.append(location.weight)
            buffer.append(location.port)
            buffer.append(UInt8(scratch.count))
            buffer.append(scratch, 0..<scratch.count)
            buffer.append(service.bytes, 0..<service.nameSize)
            place += family.byteCount
        }
        return true
    }

    /// Answers with the start of authority itself.
    private func appendStart() {
        appendAuthority()
        counts.answer += counts.authority
        counts.authority = 0
    }

    /// Answers for an address of a Service or endpoint.
    func resolvePointer(_ address: IPAddress) -> Step {
        guard query.type == .ptr || query.type == .any else { return deny(.noError) }
        snapshot.forEachName(of: address) { records, isEndpoint in
            scratch.removeAll(keepingCapacity: true)
            if isEndpoint {
                scratch.append(0)
                AddressLabel.append(address, to: &scratch)
                scratch[0] = UInt8(scratch.count - 1)
            }
            let size = scratch.count + records.nameSize
            guard !isTruncated, buffer.hasRoom(for: 12 + size) else {
                isTruncated = true
                return
            }
            appendHead(DNSRecordType.ptr.rawValue, ttl: snapshot.settings.ttl, size: size)
            buffer.append(scratch, 0..<scratch.count)
            buffer.append(records.bytes, 0..<records.nameSize)
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
            let address = AddressLabel.address(name.label(0), scratch: &scratch)
        else { return nil }
        if settings.pods == .verified {
            guard let found = snapshot.profile(of: address),
                found.isIn(namespace.extracting(0..<(Int(namespace[byte: 0]) + 1)))
            else { return nil }
        }
        return appendAddress(address) ? .done(.noError) : deny(.noError)
    }

    /// Writes a record whose data is a number.
    func appendNumber<Value: FixedWidthInteger & BitwiseCopyable>(_ type: DNSRecordType, _ value: Value, ttl: UInt32) {
        let size = MemoryLayout<Value>.size
        guard buffer.hasRoom(for: 12 + size) else {
            isTruncated = true
            return
        }
        appendHead(type.rawValue, ttl: ttl, size: size)
        buffer.append(value)
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
                if let entry = find(target.span, target.hash) { return answer(entry) }
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
