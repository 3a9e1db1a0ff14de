import Addresses
import CNI
import HostLocalIPAM
import Linux
import Testing

@Suite struct `The allocation store` {
    private func withDirectory(_ body: (String) throws -> Void) throws {
        let directory = try FileSystem.makeTemporaryDirectory(prefix: "/tmp/dt-cni-store-")
        defer { try? FileSystem.removeTree(directory) }
        try body(directory)
    }

    private let own = NetworkConfiguration.Attachment(containerID: "c1", interfaceName: "eth0")

    @Test func `writes the reference's files`() throws {
        try withDirectory { directory in
            let store = try AllocationStore(dataDirectory: directory, network: "net")
            for (index, text) in ["10.0.0.2", "fd00::2"].enumerated() {
                let address = try #require(IPAddress(text))
                #expect(try store.reserve(address, for: own, set: index))
                #expect(try !store.reserve(address, for: own, set: index))
                #expect(try FileSystem.readText("\(directory)/net/\(text)") == "c1\r\neth0")
                #expect(try FileSystem.readText("\(directory)/net/last_reserved_ip.\(index)") == text)
                #expect(store.lastReserved(set: index) == address)
            }
            #expect(try FileSystem.status("\(directory)/net/lock").kind == .file)
            #expect(try store.reservations().map(\.address.description).sorted() == ["10.0.0.2", "fd00::2"])
        }
    }

    @Test(arguments: [("c1\r\neth0", true), ("c1", true), ("c1\r\neth1", false), ("c2\r\neth0", false), ("", false)])
    func `knows whose an address is`(content: String, isOwn: Bool) throws {
        try withDirectory { directory in
            let store = try AllocationStore(dataDirectory: directory, network: "net")
            try FileSystem.writeFile("\(directory)/net/10.0.0.9", Array(content.utf8))
            #expect(try store.reservations().map { $0.belongs(to: own) } == [isOwn])
        }
    }

    @Test func `releases what is there and does not mind what is not`() throws {
        try withDirectory { directory in
            let store = try AllocationStore(dataDirectory: directory, network: "net")
            let address = try #require(IPAddress("10.0.0.2"))
            _ = try store.reserve(address, for: own, set: 0)
            try store.release(address)
            try store.release(address)
            #expect(try store.reservations().isEmpty)
        }
    }

    @Test func `A resolver file becomes settings`() {
        let text =
            "# comment\nnameserver 10.0.0.1\nnameserver fd00::1\ndomain a.b\nsearch x y\noptions ndots:5\nsortlist z\n"
        let dns = CNIResult.DNS(resolverFile: text)
        #expect(dns.nameservers == ["10.0.0.1", "fd00::1"])
        #expect(dns.domain == "a.b")
        #expect(dns.search == ["x", "y"])
        #expect(dns.options == ["ndots:5"])
    }
}
