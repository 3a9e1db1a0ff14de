/// The hash of a name's wire form, in lower case, under a seed that each process draws: nobody who chooses names knows
/// which of them collide.
enum NameHash {
    private static let seed = UInt64.random(in: .min ... .max)

    /// The hash of bytes as they are.
    @inline(__always)
    static func hash(_ bytes: RawSpan) -> UInt64 {
        var hash = seed ^ UInt64(truncatingIfNeeded: bytes.byteCount)
        var position = 0
        let count = bytes.byteCount
        while position &+ 8 <= count {
            let word = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: position, as: UInt64.self)
            hash = mix(hash ^ word)
            position &+= 8
        }
        var rest: UInt64 = 0
        while position < count {
            rest = rest << 8 | UInt64(unsafe bytes.unsafeLoad(fromUncheckedByteOffset: position, as: UInt8.self))
            position &+= 1
        }
        return mix(hash ^ rest)
    }

    /// The hash of a number.
    @inline(__always)
    static func hash(_ bits: UInt128) -> UInt64 {
        mix(mix(seed ^ UInt64(truncatingIfNeeded: bits)) ^ UInt64(truncatingIfNeeded: bits >> 64))
    }

    @inline(__always)
    private static func mix(_ value: UInt64) -> UInt64 {
        let product = (value ^ 0xA076_1D64_78BD_642F).multipliedFullWidth(by: 0xE703_7ED1_A0B4_28DB)
        return product.high ^ product.low
    }
}

extension RawSpan {
    /// Whether two runs of bytes are the same.
    @inline(__always)
    func isEqual(to other: RawSpan) -> Bool {
        guard byteCount == other.byteCount else { return false }
        var position = 0
        let count = byteCount
        while position &+ 8 <= count {
            let left = unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: position, as: UInt64.self)
            let right = unsafe other.unsafeLoadUnaligned(fromUncheckedByteOffset: position, as: UInt64.self)
            guard left == right else { return false }
            position &+= 8
        }
        while position < count {
            let left = unsafe unsafeLoad(fromUncheckedByteOffset: position, as: UInt8.self)
            guard unsafe left == other.unsafeLoad(fromUncheckedByteOffset: position, as: UInt8.self) else {
                return false
            }
            position &+= 1
        }
        return true
    }
}

extension [UInt8] {
    /// The bytes of the array, for reading.
    var raw: RawSpan {
        @inline(__always)
        @_lifetime(borrow self)
        get { unsafe span.bytes }
    }
}
