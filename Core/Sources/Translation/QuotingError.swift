import Packet
import Wire

/// An ICMP error in a buffer, and the beginning of the packet that it is about.
struct QuotingError<Quoted> {
    /// What the error says.
    let said: ICMPAnswer
    /// The packet that it is about.
    let quoted: Quoted
    /// Where the field with that packet ends; extensions follow (RFC 4884), or the message ends.
    let fieldEnd: Int
    /// Where the message ends.
    let end: Int

    /// Finds the field with the packet that a message is about.
    ///
    /// - Parameter lengthInBytes: what the message says about that field's length; 0 if nothing.
    static func field(from start: Int, end: Int, lengthInBytes: Int) -> Range<Int> {
        // A length below 128 bytes says that its sender knows nothing of extensions (RFC 4884 §3).
        guard lengthInBytes >= 128, start + lengthInBytes <= end else { return start..<end }
        return start..<(start + lengthInBytes)
    }
}

/// Where the parts of a translated ICMP error are put.
struct ErrorLayout {
    /// Where the transport header of the quoted packet is to begin.
    let target: Int
    /// The bytes that are kept from there on.
    let count: Int
    /// The zeros behind them.
    let padding: Int
    /// Where the message ends.
    let end: Int
    /// The bytes of the field with the quoted packet if extensions follow it; 0 if none do.
    let fieldLength: Int

    /// Lays a message out; extensions stay where they are, and everything else moves up to them.
    ///
    /// - Parameters:
    ///   - transport: where the quoted packet's transport header begins now.
    ///   - available: the bytes of it.
    ///   - extensions: the extensions that are kept; empty at the message's end if there are none.
    ///   - headers: the bytes of the quoted packet's headers after translation.
    ///   - limit: the bytes of the field with the quoted packet and the extensions together.
    ///   - unit: what the field's length is a multiple of, and is told in, in eight bits.
    init(transport: Int, available: Int, extensions: Range<Int>, headers: Int, limit: Int, unit: Int) {
        let room = limit - extensions.count
        if !extensions.isEmpty, room >= 128 {
            let wanted = max(128, (headers + available + unit - 1) / unit * unit)
            let field = min(wanted, min(room / unit, 255) * unit)
            count = min(available, field - headers)
            padding = field - headers - count
            target = extensions.lowerBound - padding - count
            end = extensions.upperBound
            fieldLength = field
        } else {
            count = min(available, limit - headers)
            padding = 0
            target = transport
            end = transport + count
            fieldLength = 0
        }
    }
}
