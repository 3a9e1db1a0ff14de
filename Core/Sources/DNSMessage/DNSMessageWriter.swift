internal import Addresses
internal import Wire

/// Writes one message after another into the same memory, with compressed names and within a limit of size.
///
/// Order: `begin`, questions, records section by section, `appendExtendedDNS`, `finish`.
public struct DNSMessageWriter: Sendable {
    /// A section of records.
    public enum Section: Sendable {
        /// Records that answer the question.
        case answer
        /// Records about the authority.
        case authority
        /// Records that may save a further question.
        case additional
    }

    private var writer: ByteWriter
    private var header: DNSHeader
    private var limit: Int
    /// Where the labels of names written so far start; the targets of compression pointers.
    private var labelOffsets: [Int] = []

    /// The size of an OPT record without options.
    private static let extendedDNSSize = 11

    /// Makes a writer.
    public init() {
        writer = ByteWriter(capacity: 1500)
        header = DNSHeader(id: 0, flags: [])
        limit = 0
    }

    /// The message; complete after `finish`.
    public var bytes: [UInt8] { writer.bytes }

    /// Starts a message of at most `limit` bytes; with `reservingExtendedDNS` room for an OPT record is kept.
    public mutating func begin(id: UInt16, flags: DNSFlags, limit: Int, reservingExtendedDNS: Bool = false) {
        writer.reset()
        labelOffsets.removeAll(keepingCapacity: true)
        header = DNSHeader(id: id, flags: flags)
        self.limit = limit - (reservingExtendedDNS ? DNSMessageWriter.extendedDNSSize : 0)
        for _ in 0..<(DNSHeader.size / 2) { writer.append(UInt16(0)) }
    }

    /// Appends a question.
    public mutating func append(_ question: DNSQuestion) {
        append(question.name)
        writer.append(question.type.rawValue)
        writer.append(question.dnsClass.rawValue)
        header.questionCount += 1
    }

    /// Appends a record if it fits; if it does not, the message is left as it was, marked as truncated unless the
    /// record was additional, and the result is false.
    @discardableResult
    public mutating func append(_ record: ResourceRecord, to section: Section) -> Bool {
        append(owner: record.name, dnsClass: record.dnsClass, ttl: record.ttl, data: record.data, to: section)
    }

    /// Appends a record given by its parts, as `append(_:to:)` does.
    @discardableResult
    public mutating func append(
        owner: DNSName, dnsClass: DNSClass = .internet, ttl: UInt32, data: DNSRecordData, to section: Section
    ) -> Bool {
        let start = writer.count
        let labels = labelOffsets.count
        append(owner)
        writer.append(data.type.rawValue)
        writer.append(dnsClass.rawValue)
        writer.append(ttl)
        let lengthOffset = writer.count
        writer.append(UInt16(0))
        append(data)
        let length = writer.count - lengthOffset - 2
        guard writer.count <= limit, length <= Int(UInt16.max) else {
            writer.truncate(to: start)
            labelOffsets.removeSubrange(labels...)
            if section != .additional { header.flags.insert(.truncated) }
            return false
        }
        writer.overwrite(UInt16(length), at: lengthOffset)
        switch section {
        case .answer: header.answerCount += 1
        case .authority: header.authorityCount += 1
        case .additional: header.additionalCount += 1
        }
        return true
    }

    /// Appends the OPT record that `begin` kept room for.
    public mutating func appendExtendedDNS(_ extended: ExtendedDNS) {
        writer.append(UInt8(0))
        writer.append(DNSRecordType.opt.rawValue)
        writer.append(extended.payloadSize)
        writer.append(extended.ttl)
        writer.append(UInt16(0))
        header.additionalCount += 1
    }

    /// Writes the header with the final flags and counts.
    public mutating func finish() {
        writer.overwrite(header.id, at: 0)
        writer.overwrite(header.flags.rawValue, at: 2)
        writer.overwrite(header.questionCount, at: 4)
        writer.overwrite(header.answerCount, at: 6)
        writer.overwrite(header.authorityCount, at: 8)
        writer.overwrite(header.additionalCount, at: 10)
    }

    private mutating func append(_ data: DNSRecordData) {
        switch data {
        case .cname(let name), .ns(let name), .ptr(let name): append(name)
        case .soa(let soa):
            append(soa.primary)
            append(soa.mailbox)
            for number in [soa.serial, soa.refresh, soa.retry, soa.expire, soa.minimum] { writer.append(number) }
        default: writer.append(contentsOf: data.uncompressed)  // the names of other types are never compressed
        }
    }
}

extension DNSMessageWriter {
    /// Appends a name, its longest ending that has been written before as a pointer (RFC 1035 §4.1.4).
    private mutating func append(_ name: DNSName) {
        var position = 0
        let known = labelOffsets.count  // the labels of this name have no end yet
        while name.wire[position] != 0 {
            if let target = offset(of: name, from: position, among: labelOffsets[..<known]) {
                writer.append(UInt16(0xC000) | UInt16(target))
                return
            }
            if writer.count < 0x4000 { labelOffsets.append(writer.count) }
            let end = position + Int(name.wire[position]) + 1
            writer.append(contentsOf: name.wire[position..<end])
            position = end
        }
        writer.append(UInt8(0))
    }

    /// Where the ending of `name` that starts at `position` has been written, in the same case.
    private func offset(of name: DNSName, from position: Int, among candidates: ArraySlice<Int>) -> Int? {
        candidates.first { candidate in
            var written = candidate
            var wanted = position
            while true {
                let length = Int(writer.bytes[written])
                if length >= 0xC0 {
                    written = (length & 0x3F) << 8 | Int(writer.bytes[written + 1])
                    continue
                }
                guard length == Int(name.wire[wanted]) else { return false }
                if length == 0 { return true }
                for index in 1...length where writer.bytes[written + index] != name.wire[wanted + index] {
                    return false
                }
                written += length + 1
                wanted += length + 1
            }
        }
    }
}
