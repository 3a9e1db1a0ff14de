/// Bytes that are not the protobuf message they should be.
public struct ProtobufError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong.
    public let description: String
}

/// Reads the fields of one protobuf message in the order in which they come.
struct ProtobufReader {
    /// What a field holds, as far as it can be told without the message's type.
    enum Payload {
        case integer(UInt64)
        case bytes(ArraySlice<UInt8>)
        /// Fixed-width numbers, which no message of the API has; they are skipped.
        case fixed
    }

    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    /// The next field's number and payload; nil at the end.
    mutating func next() throws(ProtobufError) -> (number: Int, payload: Payload)? {
        guard !rest.isEmpty else { return nil }
        let tag = try variableInteger()
        guard tag >> 3 > 0, tag >> 3 < 1 << 29 else { throw ProtobufError(description: "proto: illegal tag \(tag)") }
        let number = Int(tag >> 3)
        switch tag & 7 {
        case 0: return (number, .integer(try variableInteger()))
        case 1: _ = try take(8)
        case 2: return (number, .bytes(try take(variableInteger())))
        case 5: _ = try take(4)
        default: throw ProtobufError(description: "proto: illegal wireType \(tag & 7)")
        }
        return (number, .fixed)
    }

    /// An integer of seven bits a byte, the lowest first.
    mutating func variableInteger() throws(ProtobufError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = rest.popFirst() else { throw .endOfBytes }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw ProtobufError(description: "proto: integer overflow")
    }

    /// True when everything has been read.
    var isAtEnd: Bool { rest.isEmpty }

    private mutating func take(_ count: UInt64) throws(ProtobufError) -> ArraySlice<UInt8> {
        guard count <= UInt64(rest.count) else { throw .endOfBytes }
        defer { rest = rest.dropFirst(Int(count)) }
        return rest.prefix(Int(count))
    }
}

extension ProtobufError {
    static let endOfBytes = ProtobufError(description: "unexpected EOF")
}
