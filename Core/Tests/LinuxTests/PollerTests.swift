import Linux
import Testing

@Suite struct `A poller` {
    @Test func `tells which descriptors are ready`() throws {
        let pipe = try FileDescriptor.pipe()
        var poller = try Poller()
        var tokens: [UInt64] = []
        try poller.add(pipe.reading, .read, token: 7)
        poller.wait(milliseconds: 0, into: &tokens)
        #expect(tokens == [])
        try pipe.writing.write([1])
        poller.wait(milliseconds: 1000, into: &tokens)
        #expect(tokens == [7])
        try poller.add(pipe.writing, .write, token: .max)
        poller.wait(milliseconds: 1000, into: &tokens)
        #expect(Set(tokens) == [7, .max])
        try poller.modify(pipe.writing, [], token: .max)
        _ = try pipe.reading.read(upTo: 1)
        poller.wait(milliseconds: 0, into: &tokens)
        #expect(tokens == [])
    }
}
