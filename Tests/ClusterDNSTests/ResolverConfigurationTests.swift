import Addresses
import ClusterDNS
import Foundation
import Testing

@Suite struct `The host's servers` {
    @Test func `are read from a resolv.conf`() {
        let text = """
            # comment
            nameserver 192.0.2.1
            search example.com
            \tnameserver\t2001:db8::1  # trailing
            nameserver fe80::1%eth0
            nameserver
            nameserver bad
            options ndots:5
            """
        #expect(ResolverConfiguration(text: text).nameservers.map(\.description) == ["192.0.2.1", "2001:db8::1"])
    }

    @Test func `are those behind a stub on the loopback`() throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("dt-base-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        func file(_ name: String, _ text: String) throws -> String {
            let url = directory.appendingPathComponent(name)
            try Data(text.utf8).write(to: url)
            return url.path
        }
        let stub = try file("stub", "nameserver 127.0.0.53\n")
        let behind = try file("behind", "nameserver 192.0.2.1\n")
        let plain = try file("plain", "nameserver 192.0.2.2\n")
        let missing = directory.appendingPathComponent("missing").path
        func servers(_ path: String, _ behindStub: String) -> [String] {
            ResolverConfiguration.hostNameservers(path: path, behindStub: behindStub).map(\.description)
        }
        #expect(servers(stub, behind) == ["192.0.2.1"])
        #expect(servers(plain, behind) == ["192.0.2.2"])
        #expect(servers(stub, missing) == ["127.0.0.53"])
        #expect(servers(missing, missing) == [])
    }
}
