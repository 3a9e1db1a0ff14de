internal import CBPFObjects
internal import CLinux

/// Makes specifications out of an object file: finds maps and variables, and joins programs with what they call.
struct ObjectLinker {
    typealias Malformed = ObjectFile.Malformed

    private let file: ObjectFile
    private let relocations: [Int: [Int: ObjectFile.Relocation]]
    private var maps: [String: MapSpecification] = [:]
    /// The map that each section of variables becomes.
    private var variableMaps: [Int: String] = [:]
    private var variables: [String: CollectionSpecification.Variable] = [:]

    init(_ file: ObjectFile) throws(Malformed) {
        self.file = file
        var relocations: [Int: [Int: ObjectFile.Relocation]] = [:]
        for (index, section) in file.sections.enumerated() where section.isCode {
            relocations[index] = try file.relocations(of: index)
        }
        self.relocations = relocations
        try readMaps()
        readVariables()
    }

    func link() throws(Malformed) -> CollectionSpecification {
        let license = file.sections.first { $0.name == "license" }
            .map { String(decoding: $0.bytes.prefix { $0 != 0 }, as: UTF8.self) }
        var programs: [String: ProgramSpecification] = [:]
        for symbol in file.symbols where symbol.isFunction && file.sections.indices.contains(symbol.section) {
            let section = file.sections[symbol.section]
            guard section.name != ".text" else { continue }
            guard let kind = ProgramKind(section: section.name) else {
                throw Malformed(reason: "the section \(section.name) of \(symbol.name) names no place to run")
            }
            let (instructions, references) = try body(of: symbol)
            programs[symbol.name] = ProgramSpecification(
                symbol.name, kind, instructions, references: references, license: license ?? "")
        }
        return CollectionSpecification(maps: maps, programs: programs, variables: variables)
    }

    private mutating func readMaps() throws(Malformed) {
        for symbol in file.symbols where file.sections.indices.contains(symbol.section) {
            let section = file.sections[symbol.section]
            guard section.name == ".maps", !symbol.name.isEmpty else { continue }
            guard symbol.size == MemoryLayout<duet_map>.size else {
                throw Malformed(reason: "the map \(symbol.name) is no struct duet_map")
            }
            let definition = ObjectBytes(section.bytes.dropFirst(symbol.value).prefix(symbol.size))
            func field(_ index: Int) throws(Malformed) -> UInt32 { try definition.integer(at: 4 * index, UInt32.self) }
            maps[symbol.name] = MapSpecification(
                symbol.name, MapKind(rawValue: try field(0)), keySize: try field(1), valueSize: try field(2),
                capacity: try field(3), flags: MapFlags(rawValue: try field(4)))
        }
    }

    private mutating func readVariables() {
        let kinds = [".data", ".bss", ".rodata"]
        for (index, section) in file.sections.enumerated() where section.size > 0 {
            guard let kind = kinds.first(where: { section.name == $0 || section.name.hasPrefix($0 + ".") }) else {
                continue
            }
            maps[section.name] = MapSpecification(
                section.name, .array, keySize: 4, valueSize: UInt32(section.size), capacity: 1,
                flags: kind == ".rodata" ? .readOnlyForPrograms : [],
                contents: section.isZero ? [UInt8](repeating: 0, count: section.size) : Array(section.bytes))
            variableMaps[index] = section.name
        }
        for symbol in file.symbols {
            guard let map = variableMaps[symbol.section], !symbol.name.isEmpty, symbol.size > 0,
                symbol.value + symbol.size <= Int(maps[map]?.valueSize ?? 0)
            else { continue }
            variables[symbol.name] = CollectionSpecification.Variable(
                map: map, offset: symbol.value, size: symbol.size)
        }
    }

    /// The instructions of a function, of all that it calls after them, and where they use maps.
    private func body(
        of program: ObjectFile.Symbol
    ) throws(Malformed) -> (instructions: [Instruction], references: [ProgramSpecification.MapReference]) {
        var instructions: [Instruction] = []
        var references: [ProgramSpecification.MapReference] = []
        var functions = [program]
        var starts: [Int] = []
        var calls: [(index: Int, function: Int)] = []
        var next = 0
        while next < functions.count {
            let function = functions[next]
            next += 1
            starts.append(instructions.count)
            let code = ObjectBytes(
                try ObjectBytes(file.section(function.section).bytes).slice(function.value, count: function.size))
            for offset in stride(from: 0, to: function.size, by: 8) {
                var instruction = Instruction(rawValue: try code.integer(at: offset, UInt64.self))
                let relocation = relocations[function.section]?[function.value + offset]
                let index = instructions.count
                if instruction.isLocalCall {
                    let target = try callee(of: instruction, at: function.value + offset, in: function, relocation)
                    let known = functions.firstIndex { $0.section == target.section && $0.value == target.value }
                    if known == nil { functions.append(target) }
                    calls.append((index, known ?? functions.count - 1))
                } else if let relocation {
                    references.append(try reference(of: &instruction, at: index, relocation))
                }
                instructions.append(instruction)
            }
        }
        guard references.allSatisfy({ $0.index + 1 < instructions.count }) else {
            throw Malformed(reason: "\(program.name) ends within an instruction")
        }
        for (index, function) in calls {
            instructions[index].immediate = Int32(starts[function] - index - 1)
        }
        return (instructions, references)
    }

    private func callee(
        of call: Instruction, at offset: Int, in caller: ObjectFile.Symbol, _ relocation: ObjectFile.Relocation?
    ) throws(Malformed) -> ObjectFile.Symbol {
        let section = relocation?.symbol.section ?? caller.section
        // A call counts instructions from the next one; with a relocation, from the symbol.
        let base = relocation.map { $0.symbol.value } ?? offset
        let target = base + (Int(call.immediate) + 1) * 8
        guard
            let function = file.symbols.first(where: {
                $0.isFunction && $0.section == section && $0.value == target && $0.size > 0
            })
        else { throw Malformed(reason: "\(caller.name) calls what is no function of the object") }
        return function
    }

    private func reference(
        of instruction: inout Instruction, at index: Int, _ relocation: ObjectFile.Relocation
    ) throws(Malformed) -> ProgramSpecification.MapReference {
        let symbol = relocation.symbol
        guard relocation.kind == .wideLoad, instruction.isWideLoad else {
            throw Malformed(reason: "the instruction for \(symbol.name) takes no address")
        }
        if let map = variableMaps[symbol.section] {
            let offset = symbol.value + Int(instruction.immediate)
            instruction.source = UInt8(BPF_PSEUDO_MAP_VALUE)
            return ProgramSpecification.MapReference(index: index, map: map, offset: UInt32(clamping: offset))
        }
        guard maps[symbol.name] != nil else {
            throw Malformed(reason: "\(symbol.name) is neither a map nor a variable of the object")
        }
        instruction.source = UInt8(BPF_PSEUDO_MAP_FD)
        return ProgramSpecification.MapReference(index: index, map: symbol.name, offset: nil)
    }
}
