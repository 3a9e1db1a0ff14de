public import Wire

/// The fields of a TCP header that a middlebox looks at (RFC 9293 §3.1).
@frozen
public struct TCPHeader: Hashable, Sendable {
    /// The bytes of a header without options.
    public static var minimumLength: Int { 20 }

    /// The port of the sender.
    public var sourcePort: UInt16
    /// The port of the receiver.
    public var destinationPort: UInt16
    /// The number of the first byte.
    public var sequence: UInt32
    /// The number of the next byte expected from the other side.
    public var acknowledgement: UInt32
    /// The control bits.
    public var flags: TCPFlags
    /// The bytes that the sender can take.
    public var window: UInt16

    /// Makes a header.
    @inlinable
    public init(
        sourcePort: UInt16, destinationPort: UInt16, sequence: UInt32 = 0, acknowledgement: UInt32 = 0,
        flags: TCPFlags, window: UInt16 = 0
    ) {
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
        self.sequence = sequence
        self.acknowledgement = acknowledgement
        self.flags = flags
        self.window = window
    }

    /// Writes 20 bytes at `offset` for a segment without payload, with the checksum that belongs to the pseudo-header.
    ///
    /// - Precondition: `offset + 20` is inside the span.
    @inlinable
    @_lifetime(buffer: copy buffer)
    public func write(to buffer: inout MutableRawSpan, at offset: Int, pseudoHeader: InternetChecksum) {
        let ports = UInt32(sourcePort) << 16 | UInt32(destinationPort)
        let control = UInt32(0x5000 | UInt16(flags.rawValue)) << 16 | UInt32(window)
        var sum = pseudoHeader
        sum.add(ports)
        sum.add(sequence)
        sum.add(acknowledgement)
        sum.add(control)
        buffer.store(ports, at: offset)
        buffer.store(sequence, at: offset + 4)
        buffer.store(acknowledgement, at: offset + 8)
        buffer.store(control, at: offset + 12)
        buffer.store(UInt32(sum.value) << 16, at: offset + 16)
    }
}

/// The control bits of a TCP segment, as they stand in byte 13 of its header.
@frozen
public struct TCPFlags: OptionSet, Hashable, Sendable {
    /// The bits.
    public let rawValue: UInt8

    /// Makes a set of bits.
    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The sender has no more data.
    @inlinable public static var fin: TCPFlags { TCPFlags(rawValue: 1) }
    /// The connection begins.
    @inlinable public static var syn: TCPFlags { TCPFlags(rawValue: 2) }
    /// The connection is reset.
    @inlinable public static var rst: TCPFlags { TCPFlags(rawValue: 4) }
    /// The acknowledgement number counts.
    @inlinable public static var ack: TCPFlags { TCPFlags(rawValue: 16) }
}
