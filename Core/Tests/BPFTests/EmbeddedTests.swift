import BPF
import Linux
import Testing

@Suite("The objects that are part of Duet", .enabled(if: BPFLab.isPossible, "needs root, bpftool and clang"))
struct EmbeddedTests {
    @Test("The kernel takes every program", arguments: ["connect_balance", "nat64"])
    func load(name: String) throws {
        let specification = try CollectionSpecification(embedded: name)
        #expect(!specification.programs.isEmpty)
        let collection = try BPFCollection(loading: specification)
        for program in specification.programs.keys {
            #expect(try collection.program(program).information().name == String(program.prefix(15)))
        }
    }

    @Test("An object that Duet lacks is named in the error")
    func unknown() throws {
        let error = #expect(throws: BPFError.self) { try CollectionSpecification(embedded: "nothing") }
        #expect(error?.context == "nothing")
    }
}
