import BPF
import Glibc
import Linux
import RouteNetlink
import Testing

@Suite("Programs", .enabled(if: BPFLab.isPossible, "needs root, bpftool and clang"))
struct ProgramTests {
    /// An IPv4 packet in an Ethernet frame, long enough for a test run.
    static let packet: [UInt8] =
        [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45] + [UInt8](repeating: 0, count: 60)

    @Test("Programs run with the functions that they call, variables and constants")
    func run() throws {
        var sample = try BPFLab.sample()
        try sample.set("factor", to: UInt32(3))
        #expect(throws: BPFError.self) { try sample.set("factor", to: UInt64(3)) }
        let collection = try BPFCollection(loading: sample)
        let run = try collection.program("measure").run(on: Self.packet, PacketContext(mark: 5))
        #expect(run.result == 3 * 5 + 3 * 6)
        #expect(run.packet == Self.packet)
        // The kernel counts the length without the Ethernet header at ingress.
        let counters = try collection.map("counters", UInt32.self, UInt64.self)
        let keys = try counters.keys()
        #expect(keys.count == 1)
        for _ in 0..<4 { _ = try collection.program("measure").run(on: Self.packet) }
        #expect(try counters.value(for: keys[0]) == 5)
        let mine = try collection.map("per_cpu", UInt32.self, UInt32.self).valuesPerCPU(for: 1)
        #expect(mine?.reduce(0, +) == 5 * keys[0])
        #expect(try collection.map(".bss", UInt32.self, UInt32.self).value(for: 0) == 11 + 4)
        #expect(try collection.map(".data", UInt32.self, UInt32.self).value(for: 0) == 10)

        let prefixes = try collection.map("prefixes", SIMD2<UInt32>.self, UInt32.self)
        try prefixes.set([(SIMD2(8, 0x01), 40), (SIMD2(32, 0x0001_0001), 50)])
        for (mark, result) in [(0x0701, 40 + 10), (0x0001_0001, 50 + 10), (2, 0)] as [(UInt32, UInt32)] {
            #expect(
                try collection.program("classify").run(on: Self.packet, PacketContext(mark: mark)).result == result)
        }
    }

    @Test("A link's filter is set, replaced, listed and removed, and decides about packets")
    func filter() throws {
        let name = "dt-bpf-\(ProcessInformation.currentPID)"
        try NetworkNamespace.create(name: name)
        defer { try? NetworkNamespace.delete(name: name) }
        try BPFLab.shell("ip link set lo up", in: name)
        let collection = try BPFCollection(loading: try BPFLab.sample())
        let drop = try collection.program("drop")
        let pass = try collection.program("classify")
        var socket = try NetworkNamespace.open(name: name).run { try RouteSocket() }
        let link = Int32(1)
        let filter = ProgramFilter(.egress, name: "duet-test", priority: 7)
        try socket.ensureFilterDiscipline(link)
        try socket.ensureFilterDiscipline(link)
        func pings() -> Bool { (try? BPFLab.shell("ping -c 1 -W 1 127.0.0.1", in: name)) != nil }
        #expect(pings())
        try socket.setProgramFilter(filter, on: link, program: drop.descriptor.rawValue)
        #expect(!pings())
        let dropIdentifier = try drop.information().identifier
        #expect(try socket.programFilters(link, .egress).map(\.program) == [dropIdentifier])
        #expect(try socket.programFilters(link, .egress).map(\.filter) == [filter])
        #expect(try socket.programFilters(link, .ingress).isEmpty)
        #expect(try BPFLab.shell("tc filter show dev lo egress", in: name).contains("direct-action"))
        try socket.setProgramFilter(filter, on: link, program: pass.descriptor.rawValue)
        #expect(pings())
        #expect(try socket.programFilters(link, .egress).count == 1)
        try socket.deleteProgramFilter(filter, on: link)
        try socket.deleteProgramFilter(filter, on: link)
        #expect(try socket.programFilters(link, .egress).isEmpty)
    }

    @Test("A cgroup's processes run its programs, which are replaced, listed and removed")
    func cgroup() throws {
        let path = "\(try Cgroup.mountPoint())/dt-bpf-\(ProcessInformation.currentPID)"
        try FileSystem.makeDirectory(path)
        defer { try? FileSystem.remove(path) }
        let collection = try BPFCollection(loading: try BPFLab.sample())
        let cgroup = try Cgroup(path)
        let redirect = try collection.program("redirect")
        let refuse = try collection.program("refuse")
        /// The error of a connection to port 1 by a process of the cgroup; nothing answers at port 7001 either.
        func connect() throws -> String {
            try BPFLab.shell(
                """
                echo $$ >\(path)/cgroup.procs && python3 - <<'E'
                import errno, socket
                listener = socket.create_server(("127.0.0.1", 7001))
                s = socket.socket()
                print(errno.errorcode.get(s.connect_ex(("127.0.0.1", 1)), "connected"))
                E
                """
            ).split(separator: "\n").joined()
        }
        #expect(try connect() == "ECONNREFUSED")
        let link = try cgroup.attach(redirect, at: .connect4)
        #expect(try connect() == "connected")
        let first = try redirect.information().identifier
        #expect(try cgroup.programs(at: .connect4) == [first])
        try link.replace(with: refuse)
        #expect(try connect() == "EPERM")
        let second = try refuse.information().identifier
        #expect(try cgroup.programs(at: .connect4) == [second])
        let information = try link.information()
        #expect(information.program == second)
        #expect(try information.cgroup == cgroup.identifier())

        let directory = "\(BPFFileSystem.directory)/link-\(ProcessInformation.currentPID)"
        try BPFFileSystem.prepare(directory)
        defer { try? FileSystem.removeTree(directory) }
        try link.pin(at: "\(directory)/link")
        _ = consume link
        #expect(try connect() == "EPERM")
        #expect(try BPFLink(pinnedAt: "\(directory)/link").information() == information)
        try FileSystem.remove("\(directory)/link")
        // The kernel lets go of a link some moments after its pin.
        for _ in 0..<3000 where try !cgroup.programs(at: .connect4).isEmpty { usleep(10_000) }
        #expect(try cgroup.programs(at: .connect4).isEmpty)
        #expect(try connect() == "ECONNREFUSED")
    }
}
