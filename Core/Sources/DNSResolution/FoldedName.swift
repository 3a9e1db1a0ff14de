import Addresses
import DNSMessage
import Wire

/// A name in lower case and wire form, in memory that is used again for the next one.
struct FoldedName {
    private(set) var bytes = [UInt8](repeating: 0, count: 256)
    /// The size of the wire form, the root's zero included.
    private(set) var size = 1
    /// Where each label starts; the root's too.
    private var labels = [UInt8](repeating: 0, count: 128)
    /// The number of labels, the root not counted.
    private(set) var labelCount = 0
    private(set) var hash: UInt64 = 0

    /// The name.
    var span: RawSpan {
        @inline(__always)
        @_lifetime(borrow self)
        get { bytes.raw.extracting(0..<size) }
    }

    /// Reads a name that is not compressed; the result is where it ends, or nil if it is malformed.
    @inline(__always)
    mutating func read(_ message: RawSpan, at start: Int) -> Int? {
        var position = start
        labelCount = 0
        while position < message.byteCount {
            let length = Int(message[byte: position])
            let place = position - start
            guard length <= 63, place + length + 1 < 256 else { return nil }
            labels[labelCount] = UInt8(truncatingIfNeeded: place)
            bytes[place] = UInt8(truncatingIfNeeded: length)
            guard length > 0 else {
                guard place < 255 else { return nil }
                size = place + 1
                hash = NameHash.hash(span)
                return position + 1
            }
            guard position + length < message.byteCount else { return nil }
            for index in 1...length { bytes[place + index] = DNSName.folded(message[byte: position + index]) }
            labelCount += 1
            position += length + 1
        }
        return nil
    }

    /// Takes a name in wire form; false if that is malformed.
    @discardableResult
    mutating func set(_ name: [UInt8]) -> Bool { read(name.raw, at: 0) != nil }

    /// Takes the first labels of another name, followed by a name in wire form; false if that is too long.
    mutating func set(_ other: borrowing FoldedName, labels count: Int, suffix: [UInt8]) -> Bool {
        let head = Int(other.labels[count])
        guard head + suffix.count <= 255 else { return false }
        for index in 0..<head { bytes[index] = other.bytes[index] }
        for index in suffix.indices { bytes[head + index] = suffix[index] }
        var position = 0
        labelCount = 0
        while bytes[position] != 0 {
            labels[labelCount] = UInt8(truncatingIfNeeded: position)
            labelCount += 1
            position += Int(bytes[position]) + 1
        }
        labels[labelCount] = UInt8(truncatingIfNeeded: position)
        size = position + 1
        hash = NameHash.hash(span)
        return true
    }

    /// Where a label starts; that of `labelCount` is the root.
    func start(ofLabel index: Int) -> Int { Int(labels[index]) }

    /// A label without its length.
    @_lifetime(borrow self)
    func label(_ index: Int) -> RawSpan {
        let start = Int(labels[index])
        return bytes.raw.extracting((start + 1)..<(start + 1 + Int(bytes[start])))
    }

    /// The number of labels in front of `zone`, which is in lower case; nil for a name outside.
    @inline(__always)
    func labels(before zone: [UInt8]) -> Int? {
        let start = size - zone.count
        guard start >= 0, bytes.raw.extracting(start..<size).isEqual(to: zone.raw) else { return nil }
        var index = 0
        while index < labelCount, Int(labels[index]) < start { index += 1 }
        return Int(labels[index]) == start ? index : nil
    }
}

extension FoldedName {
    private static let reverseIPv4 = DNSName("in-addr.arpa")?.wire ?? []
    private static let reverseIPv6 = DNSName("ip6.arpa")?.wire ?? []

    private static let arpa = UInt32(0x6172_7061)

    /// Whether the name lies below `arpa`, where addresses have their names; most do not.
    @inline(__always)
    var isInfrastructure: Bool {
        size > 6 && bytes[size - 6] == 4 && span.loadUnchecked(UInt32.self, at: size - 5) == Self.arpa
    }

    /// The address that a reverse name stands for; nil for names that are not the reverse of a whole address.
    func reverseAddress() -> IPAddress? {
        guard isInfrastructure else { return nil }
        if let count = labels(before: Self.reverseIPv4) { return reverse(.ipv4, count) }
        if let count = labels(before: Self.reverseIPv6) { return reverse(.ipv6, count) }
        return nil
    }

    private func reverse(_ family: IPFamily, _ count: Int) -> IPAddress? {
        let width = family == .ipv4 ? 8 : 4
        guard count * width == family.bitWidth else { return nil }
        var bits: UInt128 = 0
        for index in 0..<count {
            guard let value = unit(label(index), family) else { return nil }
            bits |= UInt128(value) << UInt128(index * width)
        }
        return IPAddress(family: family, bits: bits)
    }

    /// The value of one label of a reverse name: a decimal octet or a hexadecimal digit.
    private func unit(_ label: RawSpan, _ family: IPFamily) -> UInt8? {
        let count = label.byteCount
        guard count <= (family == .ipv4 ? 3 : 1), count == 1 || label[byte: 0] != UInt8(ascii: "0") else { return nil }
        var value = 0
        for position in 0..<count {
            let byte = label[byte: position]
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value * 10 + Int(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f") where family == .ipv6:
                value = Int(byte - UInt8(ascii: "a")) + 10
            default: return nil
            }
        }
        return UInt8(exactly: value)
    }

    /// The reverse name of an IPv4 address.
    mutating func setReverse(of address: IPv4Address) {
        var wire: [UInt8] = []
        for shift in stride(from: UInt32(0), to: 32, by: 8) {
            let text = String(address.rawValue >> shift & 0xFF).utf8
            wire.append(UInt8(text.count))
            wire.append(contentsOf: text)
        }
        set(wire + Self.reverseIPv4)
    }
}
