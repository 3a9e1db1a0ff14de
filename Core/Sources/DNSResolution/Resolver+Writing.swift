import Addresses
import DNSMessage
import Wire

extension Resolver {
    /// The size of an OPT record without options.
    private static let extendedDNSSize = 11

    // Written as numbers, since a set literal costs memory in builds that are not optimised.
    private static let copiedFlags = DNSFlags.recursionDesired.rawValue | DNSFlags.checkingDisabled.rawValue
    private static let ownFlags = DNSFlags.response.rawValue | DNSFlags.recursionAvailable.rawValue

    func begin(_ message: RawSpan, hasQuestion: Bool) {
        let query = query
        buffer.reset(limit: query.limit - (query.hasExtendedDNS ? Self.extendedDNSSize : 0))
        counts = Counts()
        isTruncated = false
        isAuthentic = false
        owner = NameRecords.questionPointer
        followsTarget = false
        buffer.append(query.id)
        buffer.append(UInt16(0))
        buffer.append(UInt16(hasQuestion ? 1 : 0))
        buffer.append(UInt16(0))
        buffer.append(UInt32(0))
        if hasQuestion { buffer.append(message.extracting(DNSHeader.size..<query.questionEnd)) }
    }

    func finish(_ code: DNSResponseCode, _ client: IPAddress, isAuthoritative: Bool) {
        // Copies: each access to a property of an object is checked.
        let query = query
        let source = source
        var counts = counts
        var flags = DNSFlags(rawValue: query.flags.rawValue & Self.copiedFlags | Self.ownFlags)
        if isAuthoritative { flags.insert(.authoritative) }
        if isTruncated { flags.insert(.truncated) }
        if isAuthentic, query.wantsDNSSEC || query.flags.contains(.authenticData) { flags.insert(.authenticData) }
        flags.responseCode = code.rawValue & 0xF
        buffer.overwrite(flags.rawValue, at: 2)
        buffer.overwrite(counts.answer, at: 6)
        buffer.overwrite(counts.authority, at: 8)
        if query.hasExtendedDNS {
            buffer.extendLimit(by: Self.extendedDNSSize)
            buffer.append(UInt8(0))
            buffer.append(DNSRecordType.opt.rawValue)
            buffer.append(ExtendedDNS.safePayloadSize)
            buffer.append(UInt8(truncatingIfNeeded: code.rawValue >> 4))
            buffer.append(UInt8(0))
            buffer.append(UInt16(query.wantsDNSSEC ? 0x8000 : 0))
            buffer.append(UInt16(0))
            counts.additional += 1
        }
        buffer.overwrite(counts.additional, at: 10)
        let isNoData = code == .noError && counts.answer == 0 && !isTruncated
        metrics.count(client.family, query.type, code, isNoData: isNoData, source)
        if isNoData, query.type == .a || query.type == .aaaa, source != .refusal {
            let bytes = name.bytes
            metrics.missing(query.type == .a ? .ipv4 : .ipv6, bytes.raw.extracting(0..<name.size), name.hash)
        }
    }

    /// Writes the fixed part of a record and its data; false, and the answer marked as truncated, if it does not fit.
    func append(_ type: UInt16, ttl: UInt32, _ data: RawSpan) -> Bool {
        guard buffer.hasRoom(for: 12 + data.byteCount) else {
            isTruncated = true
            return false
        }
        appendHead(type, ttl: ttl, size: data.byteCount)
        buffer.append(data)
        return true
    }

    /// Writes what stands before the data of a record of the answer, for which there is room.
    @inline(__always)
    func appendHead(_ type: UInt16, ttl: UInt32, size: Int) {
        appendHead(owner, type, ttl, size)
        counts.answer += 1
    }

    @inline(__always)
    private func appendHead(_ owner: UInt16, _ type: UInt16, _ ttl: UInt32, _ size: Int) {
        let names = UInt64(owner) << 48 | UInt64(type) << 32 | UInt64(DNSClass.internet.rawValue) << 16
        buffer.append(names | UInt64(ttl >> 16))
        buffer.append(ttl << 16 | UInt32(UInt16(truncatingIfNeeded: size)))
    }

    /// Writes an alias, whose target owns what follows.
    func appendAlias(_ data: RawSpan, ttl: UInt32) -> Bool {
        guard append(DNSRecordType.cname.rawValue, ttl: ttl, data) else { return false }
        let position = buffer.count - data.byteCount
        guard position < 0x4000 else {
            isTruncated = true
            return false
        }
        owner = 0xC000 | UInt16(position)
        return true
    }

    /// Writes the addresses of a family, beginning at another one each time.
    func appendAddresses(_ records: NameRecords, _ family: IPFamily) {
        let range = records.range(of: family)
        guard !range.isEmpty else { return }
        let size = family.byteCount
        let total = range.count / size
        let fitting = min(total, (buffer.limit - buffer.count) / (12 + size), Int(UInt16.max) - Int(counts.answer))
        if fitting < total { isTruncated = true }
        rotation &+= 1
        var place = range.lowerBound + (total == 1 ? 0 : Int(rotation % UInt(total)) * size)
        let owner = owner
        for _ in 0..<fitting {
            appendAddress(records.address(at: place, family), records.ttl, owner: owner)
            place += size
            if place == range.upperBound { place = range.lowerBound }
        }
        counts.answer += UInt16(fitting)
    }

    @inline(__always)
    private func appendAddress(_ address: IPAddress, _ ttl: UInt32, owner: UInt16) {
        switch address {
        case .v4(let address):
            appendHead(owner, DNSRecordType.a.rawValue, ttl, 4)
            buffer.append(address.rawValue)
        case .v6(let address):
            appendHead(owner, DNSRecordType.aaaa.rawValue, ttl, 16)
            buffer.append(address.rawValue)
        }
    }

    /// Writes the addresses of a name that a record before leads to, as far as there is room.
    func appendAdditional(_ nameSpan: RawSpan, at position: Int) {
        guard position < 0x4000 else { return }
        let pointer = UInt16(0xC000) | UInt16(position)
        guard let records = snapshot.records(of: nameSpan, hash: NameHash.hash(nameSpan)) else {
            guard let address = snapshot.endpoint(named: nameSpan, scratch: &scratch),
                buffer.hasRoom(for: 12 + address.family.byteCount)
            else { return }
            appendAddress(address, snapshot.settings.ttl, owner: pointer)
            counts.additional += 1
            return
        }
        appendAdditional(records, .ipv4, pointer)
        appendAdditional(records, .ipv6, pointer)
    }

    private func appendAdditional(_ records: NameRecords, _ family: IPFamily, _ pointer: UInt16) {
        let range = records.range(of: family)
        var place = range.lowerBound
        while place < range.upperBound {
            guard buffer.hasRoom(for: 12 + family.byteCount) else { return }
            appendAddress(records.address(at: place, family), records.ttl, owner: pointer)
            counts.additional += 1
            place += family.byteCount
        }
    }

    /// Writes the address of each endpoint that a record from `position` on leads to, as far as there is room.
    func appendAdditional(_ location: NameRecords.Location, _ family: IPFamily, from position: inout Int) {
        let service = location.service
        let range = service.endpoints(of: family)
        var place = range.lowerBound
        while place < range.upperBound {
            let target = position + 18
            guard target < 0x4000, buffer.hasRoom(for: 12 + family.byteCount) else { return }
            appendAddress(service.address(at: place, family), service.ttl, owner: 0xC000 | UInt16(target))
            counts.additional += 1
            position += 12 + buffer.size(at: position + 10)
            place += family.byteCount
        }
    }

    /// Writes the start of authority that a negative answer carries (RFC 2308).
    func appendAuthority() {
        let settings = snapshot.settings
        let size = settings.foldedDomain.count
        // Without the domain in the question, it is written out.
        let inside = name.labels(before: settings.foldedDomain) != nil
        guard buffer.hasRoom(for: size + 48 + (inside ? 0 : size)) else { return }
        let position = inside ? DNSHeader.size + name.size - size : buffer.count
        let zone = 0xC000 | UInt16(position)
        if inside { buffer.append(zone) } else { buffer.append(settings.domain.wire, 0..<size) }
        buffer.append(DNSRecordType.soa.rawValue)
        buffer.append(DNSClass.internet.rawValue)
        buffer.append(settings.ttl)
        let lengthAt = buffer.count
        buffer.append(UInt16(0))
        let server = settings.serverName.wire
        buffer.append(server, 0..<(server.count - size))
        buffer.append(zone)
        let mailbox = settings.mailbox.wire
        buffer.append(mailbox, 0..<(mailbox.count - size))
        buffer.append(zone)
        buffer.append(snapshot.serial)
        buffer.append(UInt32(7200))
        buffer.append(UInt32(1800))
        buffer.append(UInt32(86400))
        buffer.append(settings.ttl)
        buffer.overwrite(UInt16(buffer.count - lengthAt - 2), at: lengthAt)
        counts.authority += 1
    }
}
