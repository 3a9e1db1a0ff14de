/// A running one's complement sum of 16-bit words in network order (RFC 1071).
///
/// Numbers are added in host order: because 2¹⁶ is 1 modulo 65535, a wider number counts like its 16-bit groups.
@frozen
public struct InternetChecksum: Sendable {
    @usableFromInline var sum: UInt64

    /// Makes the sum of nothing.
    @inlinable
    public init() { sum = 0 }

    /// The sum that a message's checksum field stands for, to be changed by what changes in the message (RFC 1624).
    @inlinable
    public init(of checksum: UInt16) { sum = UInt64(~checksum) }

    /// Adds a 16-bit word.
    @inlinable
    public mutating func add(_ word: UInt16) { sum &+= UInt64(word) }

    /// Adds two words.
    @inlinable
    public mutating func add(_ words: UInt32) { sum &+= UInt64(words) }

    /// Adds eight words.
    @inlinable
    public mutating func add(_ words: UInt128) {
        let high = UInt64(truncatingIfNeeded: words >> 64)
        let low = UInt64(truncatingIfNeeded: words)
        sum &+= (high >> 32) &+ (high & 0xFFFF_FFFF) &+ (low >> 32) &+ (low & 0xFFFF_FFFF)
    }

    /// Takes away a 16-bit word.
    @inlinable
    public mutating func subtract(_ word: UInt16) { add(~word) }

    /// Takes away two words.
    @inlinable
    public mutating func subtract(_ words: UInt32) { add(~words) }

    /// Takes away eight words.
    @inlinable
    public mutating func subtract(_ words: UInt128) { add(~words) }

    /// Adds another sum.
    @inlinable
    public mutating func add(_ other: InternetChecksum) { sum &+= UInt64(other.folded) }

    /// Takes away another sum.
    @inlinable
    public mutating func subtract(_ other: InternetChecksum) { sum &+= UInt64(~other.folded) }

    /// Adds bytes; an odd last byte counts as the high half of a word.
    @inlinable
    public mutating func add(_ bytes: RawSpan) {
        // Words are summed as the machine loads them and swapped once at the end (RFC 1071 §2B).
        var first: UInt64 = 0
        var second: UInt64 = 0
        var position = 0
        let count = bytes.byteCount
        while position &+ 8 <= count {
            let word = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: position, as: UInt64.self)
            first &+= word & 0xFFFF_FFFF
            second &+= word >> 32
            position &+= 8
        }
        while position &+ 2 <= count {
            first &+= UInt64(unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: position, as: UInt16.self))
            position &+= 2
        }
        if position < count { first &+= UInt64(UInt16(bytes[byte: position]).littleEndian) }
        sum &+= UInt64(UInt16(bigEndian: InternetChecksum.fold(first)))
        sum &+= UInt64(UInt16(bigEndian: InternetChecksum.fold(second)))
    }

    /// The sum in 16 bits; 0 only for a sum of zeros.
    @inlinable
    public var folded: UInt16 { InternetChecksum.fold(sum) }

    /// The checksum field of a message with this sum.
    @inlinable
    public var value: UInt16 { ~folded }

    /// The checksum field where 0 says "none" (UDP): 0xFFFF in its place.
    @inlinable
    public var nonzeroValue: UInt16 { folded == 0xFFFF ? 0xFFFF : ~folded }

    @inlinable
    static func fold(_ sum: UInt64) -> UInt16 {
        var sum = (sum >> 32) &+ (sum & 0xFFFF_FFFF)
        sum = (sum >> 16) &+ (sum & 0xFFFF)
        sum = (sum >> 16) &+ (sum & 0xFFFF)
        sum = (sum >> 16) &+ (sum & 0xFFFF)
        return UInt16(truncatingIfNeeded: sum)
    }
}
