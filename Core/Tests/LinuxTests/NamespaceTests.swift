import Linux
import Testing

@Suite("Namespaces", .serialized)
struct NamespaceTests {
    private let name = "dt-kernel-ns-\(ProcessInformation.currentPID)"

    @Test("A named network namespace is seen by ip, entered by run and by children, and gone after delete")
    func network() throws {
        let namespace = try NetworkNamespace.create(name: name)
        defer { try? NetworkNamespace.delete(name: name) }
        let inside = try namespace.run { try FileSystem.list("/proc/thread-self/net/dev_snmp6") }
        #expect(inside == ["lo"])
        #expect(try NetworkNamespace.current().identity() != namespace.identity())
        var specification = ChildProcess.Specification(executable: "ip", arguments: ["-br", "link"])
        specification.networkNamespace = NetworkNamespace.path(name: name)
        let output = try ChildProcess.output(of: specification)
        #expect(output.text.split(separator: "\n").count == 1)
        let listed = try ChildProcess.output(of: .init(executable: "ip", arguments: ["netns"]))
        #expect(listed.text.contains(name))
        let error = #expect(throws: SystemError.self) { try NetworkNamespace.create(name: name) }
        #expect(error?.errno == .exists)
        try NetworkNamespace.delete(name: name)
        #expect(try !NetworkNamespace.names().contains(name))
    }

    @Test("A sysctl set inside a namespace stays inside")
    func sysctl() throws {
        let namespace = try NetworkNamespace.create(name: name)
        defer { try? NetworkNamespace.delete(name: name) }
        let outside = try Sysctl.get("net/ipv4/ip_default_ttl")
        try namespace.run { try Sysctl.set("net/ipv4/ip_default_ttl", "7") }
        #expect(try namespace.run { try Sysctl.get("net/ipv4/ip_default_ttl") } == "7")
        #expect(try Sysctl.get("net/ipv4/ip_default_ttl") == outside)
    }

    @Test("A visit to a namespace starts no thread, and ends where it began, also when it fails")
    func visit() throws {
        struct Unlucky: Error {}
        let namespace = try NetworkNamespace.create(name: name)
        defer { try? NetworkNamespace.delete(name: name) }
        // On a thread of its own: nothing of it can touch other tests.
        try OSThread.run {
            let home = try NetworkNamespace.current()
            let outside = OSThread.current
            let (inside, identity) = try namespace.visit(from: home) {
                (OSThread.current, try NetworkNamespace.current().identity())
            }
            #expect(inside == outside)
            #expect(try identity == namespace.identity())
            #expect(try NetworkNamespace.current().identity() == home.identity())
            #expect(throws: Unlucky.self) { try namespace.visit(from: home) { throw Unlucky() } }
            #expect(try NetworkNamespace.current().identity() == home.identity())
        }
    }

    @Test("A parameter that is read-only may be changed to what it is, and to nothing else")
    func change() throws {
        let namespace = try NetworkNamespace.create(name: name)
        defer { try? NetworkNamespace.delete(name: name) }
        try namespace.run {
            try Sysctl.change("net/ipv4/ip_default_ttl", "7")
            #expect(try Sysctl.get("net/ipv4/ip_default_ttl") == "7")
        }
        // Nobody writes this one.
        let version = try Sysctl.get("kernel/osrelease")
        try Sysctl.change("kernel/osrelease", version)
        let error = #expect(throws: SystemError.self) { try Sysctl.change("kernel/osrelease", "0") }
        #expect(error?.context == "/proc/sys/kernel/osrelease")
    }

    @Test("A mount namespace keeps its mounts to itself and outlives its maker")
    func mounts() throws {
        let directory = try FileSystem.makeTemporaryDirectory(prefix: "/tmp/dt-kernel-")
        defer {
            try? MountNamespace.delete(at: "\(directory)/hold/mnt")
            try? Mount.unmount("\(directory)/hold", lazily: true)
            try? FileSystem.removeTree(directory)
        }
        try FileSystem.makeDirectory("\(directory)/hold")
        try FileSystem.makeDirectory("\(directory)/a b")
        let namespace = try MountNamespace.create(at: "\(directory)/hold/mnt")
        try namespace.run {
            try Mount.tmpfs(at: "\(directory)/a b")
            try FileSystem.writeFile("\(directory)/a b/inside", [1])
        }
        #expect(!FileSystem.exists("\(directory)/a b/inside"))
        let reopened = try MountNamespace.open(path: "\(directory)/hold/mnt")
        let entries = try reopened.run { try Mount.list() }
        #expect(entries.contains { $0.target == "\(directory)/a b" && $0.type == "tmpfs" })
        #expect(try !Mount.list().contains { $0.target == "\(directory)/a b" })
        var specification = ChildProcess.Specification(executable: "ls", arguments: ["\(directory)/a b"])
        specification.mountNamespace = "\(directory)/hold/mnt"
        #expect(try ChildProcess.output(of: specification).text == "inside\n")
    }

    @Test("A mount namespace is made within another one, whichever processors made the two")
    func nestedMounts() throws {
        let directory = try FileSystem.makeTemporaryDirectory(prefix: "/tmp/dt-kernel-")
        defer {
            try? MountNamespace.delete(at: "\(directory)/outer/mnt")
            try? Mount.unmount("\(directory)/outer", lazily: true)
            try? FileSystem.removeTree(directory)
        }
        let processors = try Processors.allowed()
        for (maker, user) in processors.flatMap({ first in processors.map { (first, $0) } }) {
            try FileSystem.makeDirectory("\(directory)/outer", intermediate: true)
            try FileSystem.makeDirectory("\(directory)/inner", intermediate: true)
            let outer = try OSThread.run {
                try Processors.stay(on: maker)
                return try MountNamespace.create(at: "\(directory)/outer/mnt")
            }
            try outer.run {
                try Processors.stay(on: user)
                let inner = try MountNamespace.create(at: "\(directory)/inner/mnt")
                let names = try inner.run { try FileSystem.list(directory).sorted() }
                #expect(names == ["inner", "outer"])
                try MountNamespace.delete(at: "\(directory)/inner/mnt")
            }
            try MountNamespace.delete(at: "\(directory)/outer/mnt")
        }
    }
}
