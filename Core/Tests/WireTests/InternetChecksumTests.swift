import Testing
import Wire

struct `Internet checksums` {
    /// RFC 1071 §3 word by word.
    private func naive(_ bytes: [UInt8]) -> UInt16 {
        var sum = 0
        for index in stride(from: 0, to: bytes.count, by: 2) {
            sum += Int(bytes[index]) << 8 | (index + 1 < bytes.count ? Int(bytes[index + 1]) : 0)
            if sum > 0xFFFF { sum = sum & 0xFFFF + 1 }
        }
        return UInt16(sum)
    }

    @Test
    func `of the example in RFC 1071`() {
        let bytes: [UInt8] = [0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7]
        var sum = InternetChecksum()
        sum.add(bytes.span.bytes)
        #expect(sum.folded == 0xDDF2)
        #expect(sum.value == 0x220D)
    }

    @Test(arguments: 0..<70)
    func `of bytes are those of the words one by one`(count: Int) {
        var generator = SystemRandomNumberGenerator()
        for filler in [nil, UInt8(0), 0xFF] {
            let bytes = (0..<count).map { _ in filler ?? UInt8.random(in: 0...(.max), using: &generator) }
            var sum = InternetChecksum()
            sum.add(bytes.span.bytes)
            #expect(sum.folded == naive(bytes), "\(bytes)")
        }
    }

    @Test
    func `follow a change without the rest of the message`() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            var bytes = (0..<36).map { _ in UInt8.random(in: 0...(.max), using: &generator) }
            var before = InternetChecksum()
            before.add(bytes.span.bytes)
            var changed = InternetChecksum(of: before.value)
            let old = bytes.span.bytes.load(UInt128.self, at: 16)
            let new = UInt128.random(in: 0...(.max), using: &generator)
            let oldPort = bytes.span.bytes.load(UInt16.self, at: 2)
            changed.subtract(old)
            changed.add(new)
            changed.subtract(oldPort)
            changed.add(UInt16(443))
            var elements = bytes.mutableSpan
            var span = elements.mutableBytes
            span.store(new, at: 16)
            span.store(UInt16(443), at: 2)
            var after = InternetChecksum()
            after.add(bytes.span.bytes)
            #expect(changed.value == after.value, "\(bytes)")
        }
    }

    @Test
    func `never say that there is none`() {
        var sum = InternetChecksum()
        sum.add(UInt16(0xFFFF))
        #expect(sum.value == 0)
        #expect(sum.nonzeroValue == 0xFFFF)
        sum.add(UInt32(0x0001_0000))
        #expect(sum.nonzeroValue == sum.value)
    }
}

struct `Mutable bytes` {
    @Test
    func `move over themselves, take numbers and zeros`() {
        var bytes: [UInt8] = Array(0..<16)
        var elements = bytes.mutableSpan
        var span = elements.mutableBytes
        span.move(from: 0, to: 2, count: 8)
        span.store(UInt32(0xDEAD_BEEF), at: 11)
        span.zero(from: 15, count: 1)
        #expect(span.load(UInt16.self, at: 11) == 0xDEAD)
        #expect(bytes == [0, 1, 0, 1, 2, 3, 4, 5, 6, 7, 10, 0xDE, 0xAD, 0xBE, 0xEF, 0])
    }
}
