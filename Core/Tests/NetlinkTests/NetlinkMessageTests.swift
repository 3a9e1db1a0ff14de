import Netlink
import Testing

@Suite("Netlink messages and attributes")
struct NetlinkMessageTests {
    @Test("Attributes are padded to four bytes and nest")
    func layout() {
        var writer = NetlinkWriter()
        writer.attribute(1, UInt8(0xaa))
        writer.attribute(2, string: "eth0")
        writer.nested(3) { inner in
            inner.attribute(4, bigEndian: UInt16(0x1234))
        }
        #expect(
            writer.bytes == [
                5, 0, 1, 0, 0xaa, 0, 0, 0,  // length 5, type 1, value, three bytes of padding
                9, 0, 2, 0, 0x65, 0x74, 0x68, 0x30, 0, 0, 0, 0,  // length 9: "eth0" and its zero
                12, 0, 3, 0x80,  // length 12, type 3, nested
                6, 0, 4, 0, 0x12, 0x34, 0, 0,  // length 6, network byte order
            ])
        let attributes = NetlinkAttributes(writer.bytes[...])
        #expect(attributes[1]?.integer(as: UInt8.self) == 0xaa)
        #expect(attributes[2]?.string == "eth0")
        #expect(attributes[3]?.attributes[4]?.bigEndian(as: UInt16.self) == 0x1234)
        #expect(attributes[5] == nil)
    }

    @Test("What is cut short or has a bad length ends the list instead of crashing")
    func malformed() {
        for bytes: [UInt8] in [[], [1], [3, 0, 1, 0], [9, 0, 1, 0, 1], [4, 0]] {
            #expect(Array(NetlinkAttributes(bytes[...])).isEmpty)
            #expect(NetlinkReply.parse(bytes[...]).isEmpty)
        }
        // A linear congruential generator: every run sees the same bytes.
        var state: UInt64 = 42
        func number(below bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
        for _ in 0..<2000 {
            let bytes = (0..<number(below: 80)).map { _ in UInt8(number(below: 20)) }
            for reply in NetlinkReply.parse(bytes[...]) {
                for attribute in reply.attributes(after: 12) { _ = attribute.bigEndian(as: UInt64.self) }
            }
        }
    }

    @Test("A request's header holds length, type, flags and sequence")
    func header() {
        var payload = NetlinkWriter()
        payload.append(UInt8(7))
        var bytes: [UInt8] = []
        NetlinkRequest(type: 0x10, flags: [.create], payload: payload).encode(
            to: &bytes, flags: .acknowledge, sequence: 5)
        #expect(bytes == [17, 0, 0, 0, 0x10, 0, 0x05, 0x04, 5, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0])
    }
}
