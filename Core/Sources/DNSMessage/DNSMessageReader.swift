internal import Wire

/// Reads a message step by step: the header, its questions, then its records, in the order of the bytes.
///
/// Every failure leaves the reader unusable for further steps.
public struct DNSMessageReader: ~Escapable {
    /// The header.
    public let header: DNSHeader
    var reader: ByteReader

    /// Reads the header.
    @_lifetime(copy bytes)
    public init(_ bytes: Span<UInt8>) throws(DNSError) {
        reader = ByteReader(bytes)
        do throws(EndOfBytes) {
            header = try DNSHeader(&reader)
        } catch {
            throw DNSError(.truncated, at: error.offset)
        }
    }

    /// The position of the next byte to be read.
    public var offset: Int { reader.offset }

    /// Reads a question into an existing one, whose memory is used again.
    @_lifetime(self: copy self)
    public mutating func readQuestion(into question: inout DNSQuestion) throws(DNSError) {
        try readName(into: &question.name)
        question.type = DNSRecordType(rawValue: try read(UInt16.self))
        question.dnsClass = DNSClass(rawValue: try read(UInt16.self))
    }

    /// Reads a question.
    @_lifetime(self: copy self)
    public mutating func readQuestion() throws(DNSError) -> DNSQuestion {
        var question = DNSQuestion(name: .root, type: .a)
        try readQuestion(into: &question)
        return question
    }

    /// Reads a name into an existing one, following compression pointers (RFC 1035 §4.1.4).
    ///
    /// Each pointer must lead before the label sequence that it ends, so that every chain of them ends.
    @_lifetime(self: copy self)
    public mutating func readName(into name: inout DNSName) throws(DNSError) {
        let bytes = reader.bytes
        name.wire.removeAll(keepingCapacity: true)
        var position = reader.offset
        var sequenceStart = position
        var end: Int?  // where reading goes on, known at the first pointer
        while true {
            guard position < bytes.byteCount else { throw fail(.truncated, &name, at: position) }
            let length = Int(bytes[byte: position])
            switch length {
            case 0:
                name.wire.append(0)
                try move(to: end ?? position + 1)
                return
            case 1...63:
                let next = position + 1 + length
                guard next <= bytes.byteCount else { throw fail(.truncated, &name, at: position) }
                guard name.wire.count + length + 2 <= 255 else { throw fail(.badName, &name, at: position) }
                for index in position..<next { name.wire.append(bytes[byte: index]) }
                position = next
            case 0xC0...0xFF:
                guard position + 1 < bytes.byteCount else { throw fail(.truncated, &name, at: position) }
                let target = (length & 0x3F) << 8 | Int(bytes[byte: position + 1])
                guard target < sequenceStart else { throw fail(.badPointer, &name, at: position) }
                if end == nil { end = position + 2 }
                position = target
                sequenceStart = target
            default:
                throw fail(.badName, &name, at: position)
            }
        }
    }

    /// Leaves the name valid and makes the error.
    private func fail(_ code: DNSError.Code, _ name: inout DNSName, at position: Int) -> DNSError {
        name = DNSName()
        return DNSError(code, at: position)
    }

    @_lifetime(self: copy self)
    mutating func readName() throws(DNSError) -> DNSName {
        var name = DNSName()
        try readName(into: &name)
        return name
    }

    @_lifetime(self: copy self)
    mutating func read<Value: FixedWidthInteger & BitwiseCopyable>(_ type: Value.Type) throws(DNSError) -> Value {
        do throws(EndOfBytes) {
            return try reader.read(type)
        } catch {
            throw DNSError(.truncated, at: error.offset)
        }
    }

    @_lifetime(self: copy self)
    mutating func readBytes(_ count: Int) throws(DNSError) -> [UInt8] {
        var bytes: [UInt8] = []
        try readBytes(count, into: &bytes)
        return bytes
    }

    @_lifetime(self: copy self)
    mutating func readBytes(_ count: Int, into bytes: inout [UInt8]) throws(DNSError) {
        do throws(EndOfBytes) {
            let run = try reader.readBytes(count)
            for offset in run.byteOffsets { bytes.append(run[byte: offset]) }
        } catch {
            throw DNSError(.truncated, at: error.offset)
        }
    }

    @_lifetime(self: copy self)
    mutating func move(to position: Int) throws(DNSError) {
        do throws(EndOfBytes) {
            try reader.move(to: position)
        } catch {
            throw DNSError(.truncated, at: error.offset)
        }
    }
}
