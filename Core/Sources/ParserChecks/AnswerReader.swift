/// Reads a DNS message (RFC 1035 §4) with nothing but the rules of the wire, apart from the codec that wrote it.
struct AnswerReader {
    private let bytes: [UInt8]
    private var position = 0
    /// The first byte of the last record's lifetime.
    private var upperCode: UInt8 = 0

    /// What a message holds.
    struct Summary {
        var id: UInt16 = 0
        var flags: UInt16 = 0
        /// The records of the answer, authority and additional sections.
        var counts: [Int] = []
        var types: [UInt16] = []
        /// The upper bits of the response code, which stand in the OPT record (RFC 6891 §6.1.3).
        var upperCode: UInt8 = 0

        /// Whether the answer says that there is none.
        var isError: Bool { flags & 0xF != 0 || upperCode != 0 }
    }

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Reads a whole message; nil if anything in it is malformed or lies behind its end.
    static func read(_ bytes: [UInt8]) -> Summary? {
        var reader = AnswerReader(bytes)
        return reader.message()
    }

    private mutating func message() -> Summary? {
        var summary = Summary()
        guard let id = number(), let flags = number(), let questions = number(), let answers = number(),
            let authorities = number(), let additional = number()
        else { return nil }
        (summary.id, summary.flags) = (id, flags)
        for _ in 0..<questions { guard name(), number() != nil, number() != nil else { return nil } }
        for section in [answers, authorities, additional] {
            for _ in 0..<section {
                guard let type = record() else { return nil }
                summary.types.append(type)
                if type == 41 { summary.upperCode = upperCode }
            }
            summary.counts.append(Int(section))
        }
        return position == bytes.count ? summary : nil
    }

    private mutating func number() -> UInt16? {
        guard position + 2 <= bytes.count else { return nil }
        defer { position += 2 }
        return UInt16(bytes[position]) << 8 | UInt16(bytes[position + 1])
    }

    /// Passes over a name; false if it is too long, or a pointer in it does not lead back.
    private mutating func name() -> Bool {
        var place = position
        var end: Int?
        var size = 1
        while place < bytes.count {
            let length = Int(bytes[place])
            switch length {
            case 0:
                position = end ?? place + 1
                return true
            case 1...63:
                size += length + 1
                place += length + 1
            case 0xC0...:
                guard place + 1 < bytes.count else { return false }
                let target = (length & 0x3F) << 8 | Int(bytes[place + 1])
                guard target < place else { return false }
                end = end ?? place + 2
                place = target
            default: return false
            }
            guard size <= 255 else { return false }
        }
        return false
    }

    /// Passes over a record, and over the names in its data.
    private mutating func record() -> UInt16? {
        guard name(), let type = number(), number() != nil, let upper = number(), number() != nil,
            let length = number(), position + Int(length) <= bytes.count
        else { return nil }
        upperCode = UInt8(upper >> 8)
        let end = position + Int(length)
        // The fields before and behind the names in the data, and the number of names.
        let layout: (before: Int, names: Int, behind: Int) =
            switch type {
            case 1: (4, 0, 0)
            case 28: (16, 0, 0)
            case 2, 5, 12, 39: (0, 1, 0)
            case 6: (0, 2, 20)
            case 15: (2, 1, 0)
            case 33: (6, 1, 0)
            default: (Int(length), 0, 0)
            }
        position += layout.before
        for _ in 0..<layout.names { guard name() else { return nil } }
        position += layout.behind
        return position == end ? type : nil
    }
}
