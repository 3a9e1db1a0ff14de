import Addresses
import CNI
import HostLocalIPAM
import Linux
import TestSupport
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
            var store = try AllocationStore(dataDirectory: directory, network: "net")
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
            var store = try AllocationStore(dataDirectory: directory, network: "net")
            let address = try #require(IPAddress("10.0.0.2"))
            _ = try store.reserve(address, for: own, set: 0)
            try store.release(address, of: "c1")
            try store.release(address, of: "c1")
            #expect(try store.reservations().isEmpty)
        }
    }

    /// Fills a network until an index is kept, through a store of its own for each address as plugins do.
    private func fill(_ directory: String, _ count: UInt128) throws {
        for offset in 0..<count {
            var store = try AllocationStore(dataDirectory: directory, network: "net")
            let attachment = NetworkConfiguration.Attachment(containerID: "c\(offset)", interfaceName: "eth0")
            #expect(try store.reservations(of: attachment).isEmpty)
            let address = IPAddress(family: .ipv6, bits: 0xFD00 << 112 | offset)
            #expect(try store.reserve(address, for: attachment, set: 0))
        }
    }

    private func found(_ directory: String, _ container: String) throws -> [String] {
        var store = try AllocationStore(dataDirectory: directory, network: "net")
        let attachment = NetworkConfiguration.Attachment(containerID: container, interfaceName: "eth0")
        return try store.reservations(of: attachment).map(\.address.description).sorted()
    }

    private let many = UInt128(AllocationStore.indexThreshold * 3)

    @Test func `finds a container's addresses by the index`() throws {
        try withDirectory { directory in
            try fill(directory, many)
            #expect(FileSystem.exists("\(directory)/net/.index"))
            // Without its file an address counts no longer, whatever the index says.
            for offset in 0..<many {
                let address = IPAddress(family: .ipv6, bits: 0xFD00 << 112 | offset)
                #expect(try found(directory, "c\(offset)") == [address.description])
                var store = try AllocationStore(dataDirectory: directory, network: "net")
                try store.release(address, of: "c\(offset)")
            }
            #expect(try AllocationStore(dataDirectory: directory, network: "net").reservations().isEmpty)
            try fill(directory, many)
            #expect(try found(directory, "c7") == ["fd00::7"])
        }
    }

    /// What programs that know nothing of the index do, while it is there.
    @Test(arguments: ["adds", "removes", "replaces the directory", "damages the index", "cuts the index"])
    func `notices what another program`(does change: String) throws {
        try withDirectory { directory in
            try fill(directory, many)
            let net = "\(directory)/net"
            switch change {
            case "adds": try FileSystem.writeFile("\(net)/fd00::ffff", Array("other\r\neth0".utf8))
            case "removes":
                try FileSystem.remove("\(net)/fd00::5")
                try FileSystem.writeFile("\(net)/fd00::ffff", Array("other\r\neth0".utf8))
            case "replaces the directory":
                try FileSystem.rename(net, to: "\(net).old")
                try FileSystem.makeDirectory(net)
                try FileSystem.writeFile("\(net)/fd00::ffff", Array("other\r\neth0".utf8))
                try FileSystem.writeFile("\(net)/.index", try FileSystem.readFile("\(net).old/.index"))
            case "damages the index":
                try FileSystem.writeFile("\(net)/.index", Array(repeating: 0xA5, count: 4096))
                try FileSystem.writeFile("\(net)/fd00::ffff", Array("other\r\neth0".utf8))
            default:
                let content = try FileSystem.readFile("\(net)/.index")
                try FileSystem.writeFile("\(net)/.index", Array(content.prefix(40)))
                try FileSystem.writeFile("\(net)/fd00::ffff", Array("other\r\neth0".utf8))
            }
            #expect(try found(directory, "other") == ["fd00::ffff"])
            let isReplaced = change == "replaces the directory"
            #expect(try found(directory, "c5") == (isReplaced || change == "removes" ? [] : ["fd00::5"]))
            #expect(try found(directory, "c9") == (isReplaced ? [] : ["fd00::9"]))
        }
    }

    @Test(arguments: 0..<10 as Range<UInt64>)
    func `keeps the index true through random changes`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        try withDirectory { directory in
            var model: [String: Set<String>] = [:]
            for _ in 0..<600 {
                let container = "c\(Int.random(in: 0..<120, using: &random))"
                let address = IPAddress(
                    family: Bool.random(using: &random) ? .ipv4 : .ipv6,
                    bits: 0x0A09_0000 + UInt128.random(in: 0..<400, using: &random))
                let attachment = NetworkConfiguration.Attachment(containerID: container, interfaceName: "eth0")
                var store = try AllocationStore(dataDirectory: directory, network: "net")
                switch Int.random(in: 0..<10, using: &random) {
                case 0:
                    for reservation in try store.reservations(of: attachment) {
                        try store.release(reservation.address, of: container)
                    }
                    model[container] = nil
                case 1 where !model.values.contains { $0.contains(address.description) }:
                    let text = "\(container)\r\neth0"
                    try FileSystem.writeFile("\(directory)/net/\(address)", Array(text.utf8))
                    model[container, default: []].insert(address.description)
                default:
                    if try store.reserve(address, for: attachment, set: 0) {
                        model[container, default: []].insert(address.description)
                    }
                }
            }
            for (container, addresses) in model {
                #expect(try found(directory, container) == addresses.sorted(), "seed \(seed)")
            }
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
