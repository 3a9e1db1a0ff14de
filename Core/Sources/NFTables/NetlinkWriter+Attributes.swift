internal import Netlink

// The attribute numbers of nftables are C enumerations, and its numbers are in network byte order throughout.
extension NetlinkWriter {
    mutating func put<Code: RawRepresentable<UInt32>>(_ code: Code, _ value: UInt32) {
        attribute(Int(code.rawValue), bigEndian: value)
    }

    mutating func put<Code: RawRepresentable<UInt32>>(_ code: Code, long value: UInt64) {
        attribute(Int(code.rawValue), bigEndian: value)
    }

    mutating func put<Code: RawRepresentable<UInt32>>(_ code: Code, byte value: UInt8) {
        attribute(Int(code.rawValue), value)
    }

    mutating func put<Code: RawRepresentable<UInt32>>(_ code: Code, _ value: String) {
        attribute(Int(code.rawValue), string: value)
    }

    mutating func put<Code: RawRepresentable<UInt32>>(_ code: Code, bytes value: [UInt8]) {
        attribute(Int(code.rawValue), bytes: value)
    }

    mutating func put<Code: RawRepresentable<UInt32>>(_ code: Code, _ body: (inout NetlinkWriter) -> Void) {
        nested(Int(code.rawValue), body)
    }
}

extension NetlinkAttributes {
    subscript<Code: RawRepresentable<UInt32>>(code: Code) -> NetlinkAttribute? {
        self[Int(code.rawValue)]
    }

    func number<Code: RawRepresentable<UInt32>>(_ code: Code) -> UInt32? {
        self[code]?.bigEndian()
    }

    func text<Code: RawRepresentable<UInt32>>(_ code: Code) -> String? {
        self[code]?.string
    }
}
