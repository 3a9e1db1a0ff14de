import Testing

@testable import CNIPlugins

@Suite struct `SHA-512` {
    /// From FIPS 180-4's examples, and `sha512sum` for lengths around a block.
    @Test(arguments: [
        ("", "cf83e1357eefb8bdf1542850d66d8007"), ("abc", "ddaf35a193617abacc417349ae204131"),
        (String(repeating: "a", count: 111), "fa9121c7b32b9e01733d034cfc78cbf6"),
        (String(repeating: "a", count: 112), "c01d080efd492776a1c43bd23dd99d0a"),
        (String(repeating: "a", count: 128), "b73d1929aa615934e61a871596b3f3b3"),
    ])
    func `gives the standard's digests`(text: String, digest: String) {
        #expect(SHA512.hexadecimal(text, count: 32) == digest)
    }
}
