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
        buffer.append(owner)
        buffer.append(type)
        buffer.append(DNSClass.internet.rawValue)
        buffer.append(ttl)
        buffer.append(UInt16(truncatingIfNeeded: data.byteCount))
        buffer.append(data)
        counts.answer += 1
        return true
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

    /// Copies the ready addresses of a family, beginning at another one each time.
    func appendAddresses(_ records: NameRecords, _ family: IPFamily) {
        let total = records.count(of: family)
        guard total > 0 else { return }
        let size = family == .ipv4 ? NameRecords.ipv4Size : NameRecords.ipv6Size
        let fitting = min(total, (buffer.limit - buffer.count) / size, Int(UInt16.max) - Int(counts.answer))
        if fitting < total { isTruncated = true }
        let range = records.range(of: family)
        rotation &+= 1
        let first = total == 1 ? 0 : Int(rotation % UInt(total))
        let head = min(fitting, total - first)
        let start = buffer.count
        let from = range.lowerBound + first * size
        buffer.append(records.bytes, from..<(from + head * size))
        buffer.append(records.bytes, range.lowerBound..<(range.lowerBound + (fitting - head) * size))
        if owner != NameRecords.questionPointer {
            for index in 0..<fitting { buffer.overwrite(owner, at: start + index * size) }
        }
        counts.answer += UInt16(fitting)
    }

    /// Writes the addresses of a name that a record before leads to, as far as there is room.
    func appendAdditional(_ nameSpan: RawSpan, at position: Int) {
        guard position < 0x4000, let records = snapshot.records(of: nameSpan, hash: NameHash.hash(nameSpan)) else {
            return
        }
        let pointer = UInt16(0xC000) | UInt16(position)
        appendAdditional(records, .ipv4, pointer)
        appendAdditional(records, .ipv6, pointer)
    }

    private func appendAdditional(_ records: NameRecords, _ family: IPFamily, _ pointer: UInt16) {
        let size = family == .ipv4 ? NameRecords.ipv4Size : NameRecords.ipv6Size
        let range = records.range(of: family)
        for index in 0..<records.count(of: family) {
            guard buffer.hasRoom(for: size) else { return }
            let place = buffer.count
            let from = range.lowerBound + index * size
            buffer.append(records.bytes, from..<(from + size))
            buffer.overwrite(pointer, at: place)
            counts.additional += 1
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
