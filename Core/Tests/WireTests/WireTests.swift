import Testing
import Wire

@Suite struct `Bytes on the wire` {
    @Test func `are written and read in network order`() throws {
        var writer = ByteWriter(capacity: 32)
        writer.append(UInt8(1))
        writer.append(UInt16(0x0203))
        writer.append(UInt32(0x0405_0607))
        writer.append(UInt128(0x0102_0304_0506_0708_090A_0B0C_0D0E_0F10))
        writer.append(contentsOf: [0xAA, 0xBB])
        writer.overwrite(0x0908, at: 1)
        #expect(writer.bytes == [1, 9, 8, 4, 5, 6, 7] + Array(1...16) + [0xAA, 0xBB])

        let bytes = writer.bytes
        var reader = ByteReader(bytes.span)
        #expect(try reader.read(UInt8.self) == 1)
        #expect(try reader.read(UInt16.self) == 0x0908)
        #expect(try reader.read(UInt32.self) == 0x0405_0607)
        #expect(try reader.read(UInt128.self) == 0x0102_0304_0506_0708_090A_0B0C_0D0E_0F10)
        let rest = try reader.readBytes(2)
        #expect(rest[byte: 0] == 0xAA && rest[byte: 1] == 0xBB)
        #expect(reader.remaining == 0)
    }

    @Test func `that are missing give an error and move nothing`() throws {
        let bytes: [UInt8] = [1, 2, 3]
        var reader = ByteReader(bytes.span)
        #expect(try reader.read(UInt8.self) == 1)
        do {
            _ = try reader.read(UInt32.self)
            Issue.record("read past the end")
        } catch {
            #expect(error == EndOfBytes(offset: 1))
        }
        #expect(throwsEnd { () throws(EndOfBytes) in _ = try ByteReaderProbe.run(of: -1, in: bytes) })
        #expect(throwsEnd { () throws(EndOfBytes) in _ = try ByteReaderProbe.run(of: 4, in: bytes) })
        try reader.move(to: 3)
        #expect(reader.remaining == 0)
    }

    @Test func `are forgotten on reset and truncation`() {
        var writer = ByteWriter()
        writer.append(UInt32(1))
        writer.truncate(to: 3)
        #expect(writer.bytes == [0, 0, 0])
        writer.reset()
        #expect(writer.count == 0)
    }

    private func throwsEnd(_ body: () throws(EndOfBytes) -> Void) -> Bool {
        do {
            try body()
            return false
        } catch {
            return true
        }
    }
}

private enum ByteReaderProbe {
    /// The size of a run read from the start.
    static func run(of count: Int, in bytes: [UInt8]) throws(EndOfBytes) -> Int {
        var reader = ByteReader(bytes.span)
        return try reader.readBytes(count).byteCount
    }
}
