import RouteNetlink
import Testing

@Suite("Link-layer addresses")
struct MACAddressTests {
    @Test(
        "Text round-trips in lower case",
        arguments: [
            ("02:00:5E:10:00:ff", "02:00:5e:10:00:ff"), ("0a-00-00-00-00-01", "0a:00:00:00:00:01"),
            ("0200.5E10.00ff", "02:00:5e:10:00:ff"),
        ])
    func text(input: String, output: String) {
        #expect(MACAddress(input)?.description == output)
    }

    @Test(
        "What is neither six pairs of digits nor three groups of four is refused",
        arguments: [
            "", "02:00:00:00:00", "2:0:0:0:0:1", "02:00:00:00:00:0g", "02:00:00:00:00:01:02", "+2:00:00:00:00:01",
            "0200.5e10", "0200.5e10.00ff.0000", "02.00.5e.10.00.ff", "0200.5e10:00ff",
        ])
    func refused(input: String) {
        #expect(MACAddress(input) == nil)
    }
}
