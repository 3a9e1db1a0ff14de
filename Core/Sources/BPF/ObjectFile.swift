/// A relocatable ELF object for eBPF: what of it the loader needs.
///
/// Formats: the System V ABI, chapter 4, and the kernel's Documentation/bpf/llvm_reloc.rst.
struct ObjectFile {
    struct Section {
        let name: String
        let kind: UInt32
        let flags: UInt64
        let size: Int
        let bytes: ArraySlice<UInt8>
        let link: Int
        /// Of relocations, the section that they are for.
        let info: Int

        /// Whether it holds instructions.
        var isCode: Bool { kind == ObjectFile.programBits && flags & 4 != 0 }
        /// Whether it is all zeros, which the file leaves out.
        var isZero: Bool { kind == ObjectFile.noBits }
    }

    struct Symbol {
        let name: String
        let isFunction: Bool
        let section: Int
        let value: Int
        let size: Int
    }

    struct Relocation {
        /// A 64-bit constant gets a symbol's address; a call goes to a symbol.
        enum Kind: UInt32 {
            case wideLoad = 1
            case call = 10
        }

        let offset: Int
        let kind: Kind
        let symbol: Symbol
    }

    /// Why bytes are no object that can be loaded.
    struct Malformed: Error {
        let reason: String
    }

    private static let programBits: UInt32 = 1
    private static let symbolTable: UInt32 = 2
    private static let noBits: UInt32 = 8
    private static let relocationTable: UInt32 = 9

    private(set) var sections: [Section] = []
    private(set) var symbols: [Symbol] = []

    init(_ bytes: [UInt8]) throws(Malformed) {
        let file = ObjectBytes(bytes[...])
        // ELF magic, 64 bits, little-endian; e_type relocatable; e_machine EM_BPF.
        guard bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46, 2, 1]), try file.integer(at: 16, UInt16.self) == 1,
            try file.integer(at: 18, UInt16.self) == 247
        else { throw Malformed(reason: "it is no little-endian relocatable ELF object for eBPF") }
        let table = try file.offset(at: 40)
        let count = Int(try file.integer(at: 60, UInt16.self))
        let names = Int(try file.integer(at: 62, UInt16.self))
        let headers = try (0..<count).map { index throws(Malformed) in
            ObjectBytes(try file.slice(table + index * 64, count: 64))
        }
        guard headers.indices.contains(names) else { throw Malformed(reason: "its sections have no names") }
        let nameBytes = try file.contents(of: headers[names])
        sections = try headers.map { header throws(Malformed) in
            let kind = try header.integer(at: 4, UInt32.self)
            return Section(
                name: try nameBytes.text(at: Int(try header.integer(at: 0, UInt32.self))), kind: kind,
                flags: try header.integer(at: 8, UInt64.self), size: try header.offset(at: 32),
                bytes: kind == Self.noBits ? [] : try file.contents(of: header).bytes,
                link: Int(try header.integer(at: 40, UInt32.self)), info: Int(try header.integer(at: 44, UInt32.self)))
        }
        symbols = try readSymbols()
    }

    private func readSymbols() throws(Malformed) -> [Symbol] {
        guard let table = sections.first(where: { $0.kind == Self.symbolTable }) else { return [] }
        let names = ObjectBytes(try section(table.link).bytes)
        var symbols: [Symbol] = []
        for start in stride(from: 0, to: table.bytes.count / 24 * 24, by: 24) {
            let entry = ObjectBytes(table.bytes.dropFirst(start).prefix(24))
            symbols.append(
                Symbol(
                    name: try names.text(at: Int(try entry.integer(at: 0, UInt32.self))),
                    isFunction: try entry.integer(at: 4, UInt8.self) & 0xf == 2,
                    section: Int(try entry.integer(at: 6, UInt16.self)), value: try entry.offset(at: 8),
                    size: try entry.offset(at: 16)))
        }
        return symbols
    }

    /// A section by its index.
    func section(_ index: Int) throws(Malformed) -> Section {
        guard sections.indices.contains(index) else { throw Malformed(reason: "it has no section \(index)") }
        return sections[index]
    }

    /// What is left to fill into a section, by the offset in it.
    func relocations(of target: Int) throws(Malformed) -> [Int: Relocation] {
        var relocations: [Int: Relocation] = [:]
        for table in sections where table.kind == Self.relocationTable && table.info == target {
            for start in stride(from: 0, to: table.bytes.count / 16 * 16, by: 16) {
                let entry = ObjectBytes(table.bytes.dropFirst(start).prefix(16))
                let offset = try entry.offset(at: 0)
                let information = try entry.integer(at: 8, UInt64.self)
                let symbol = Int(information >> 32)
                guard let kind = Relocation.Kind(rawValue: UInt32(truncatingIfNeeded: information)) else {
                    throw Malformed(reason: "it has a relocation of type \(information & 0xffff_ffff)")
                }
                guard symbols.indices.contains(symbol) else { throw Malformed(reason: "it has no symbol \(symbol)") }
                relocations[offset] = Relocation(offset: offset, kind: kind, symbol: symbols[symbol])
            }
        }
        return relocations
    }
}

/// Bytes of an object file, read with bounds.
struct ObjectBytes {
    let bytes: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

    func integer<Value: FixedWidthInteger>(at offset: Int, _ type: Value.Type) throws(ObjectFile.Malformed) -> Value {
        let field = try slice(offset, count: MemoryLayout<Value>.size)
        return unsafe Value(littleEndian: field.withUnsafeBytes { unsafe $0.loadUnaligned(as: Value.self) })
    }

    /// A 64-bit offset or size.
    func offset(at offset: Int) throws(ObjectFile.Malformed) -> Int {
        guard let value = Int32(exactly: try integer(at: offset, UInt64.self)) else {
            throw ObjectFile.Malformed(reason: "an offset at \(offset) is out of bounds")
        }
        return Int(value)
    }

    func slice(_ offset: Int, count: Int) throws(ObjectFile.Malformed) -> ArraySlice<UInt8> {
        guard offset >= 0, count >= 0, offset + count <= bytes.count else {
            throw ObjectFile.Malformed(reason: "it ends before byte \(offset + count)")
        }
        return bytes.dropFirst(offset).prefix(count)
    }

    /// What the section with a header holds.
    func contents(of header: ObjectBytes) throws(ObjectFile.Malformed) -> ObjectBytes {
        guard try header.integer(at: 4, UInt32.self) != 8 else { return ObjectBytes([]) }
        return ObjectBytes(try slice(try header.offset(at: 24), count: try header.offset(at: 32)))
    }

    /// The text that a zero ends.
    func text(at offset: Int) throws(ObjectFile.Malformed) -> String {
        guard offset <= bytes.count else { throw ObjectFile.Malformed(reason: "a name is out of bounds") }
        return String(decoding: bytes.dropFirst(offset).prefix { $0 != 0 }, as: UTF8.self)
    }
}
