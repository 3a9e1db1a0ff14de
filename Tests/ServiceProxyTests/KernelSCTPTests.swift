import Addresses
import KubernetesAPI
import ServiceProxy
import Testing

/// Associations of SCTP, packet by packet, so that the kernel need not speak it itself.
@Suite("SCTP in the kernel", .enabled(if: NodeLab.isPossible), .blocking)
struct KernelSCTPTests {
    /// Packets as RFC 9260 has them, sections 3.1, 3.3.2 and 3.3.3.
    private static let packets = """
        import socket, struct, sys
        address, port = sys.argv[1], int(sys.argv[2])
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        s = socket.socket(family, socket.SOCK_RAW, 132)
        def crc(data):
            value = 0xffffffff
            for byte in data:
                value ^= byte
                for _ in range(8): value = value >> 1 ^ (0x82f63b78 if value & 1 else 0)
            return ~value & 0xffffffff
        def packet(source, target, tag, kind):
            chunk = struct.pack("!2BHIIHHI", kind, 0, 20, 77, 65536, 1, 1, 1)
            head = struct.pack("!HHI", source, target, tag)
            return head + struct.pack("<I", crc(head + bytes(4) + chunk)) + chunk
        def receive():
            data, peer = s.recvfrom(2048)
            if family == socket.AF_INET: data = data[(data[0] & 15) * 4:]
            assert crc(data[:8] + bytes(4) + data[12:]) == struct.unpack("<I", data[8:12])[0], "checksum"
            return struct.unpack("!HHI", data[:8]) + (data[12], peer[0])

        """

    /// Answers beginnings of associations at a port, and prints who begins them.
    private static let endpoint =
        packets + """
            print("listening", flush=True)
            while True:
                source, target, tag, kind, peer = receive()
                if (target, kind) == (port, 1):
                    print("from", peer, flush=True)
                    s.sendto(packet(port, source, 77, 2), (peer, 0))
            """

    /// Begins an association until it is answered or refused; prints the answer's port and kind of chunk.
    private static let caller =
        packets + """
            s.connect((address, 0))
            s.settimeout(0.3)
            for _ in range(100):
                try:
                    s.send(packet(5000, port, 0, 1))
                    # A kernel that speaks SCTP itself aborts what it does not know.
                    while (answer := receive())[3] == 6: pass
                    print(*answer[::3])
                    break
                except ConnectionRefusedError: print("refused"); break
                except TimeoutError: pass
            """

    @Test(
        "Associations reach endpoints, come back, and are refused without one", arguments: IPFamily.allCases,
        KernelPolicyTests.waysToLead)
    func associations(family: IPFamily, atConnect: Bool) throws {
        let policy = try PolicyLab(family, atConnect: atConnect)
        var web = policy.service("web", number: 1, nodePort: 30_080)
        web.spec?.ports?.append(ServicePort(name: "sctp", protocol: "SCTP", port: 80, nodePort: 30_080))
        policy.update(web, ready: ["pod-2"])
        try policy.table.flush()
        let endpoint = try policy.lab.start(Self.endpoint, policy.address("pod-2"), 8080, from: "pod-2")
        #expect(endpoint.hasSaid("listening"))
        let masked = NodeLab.address(family, of: "pod-2", nodeSide: true)
        let targets = [
            ("pod-1", clusterIP(family, 1), UInt16(80), policy.address("pod-1")),
            ("client", policy.nodeAddress, 30_080, masked),
        ]
        for (place, address, port, source) in targets {
            let met = try policy.lab.python(Self.caller, "\(address)", "\(port)", in: place)
            #expect(met == "\(port) 2", "\(place)")
            #expect(endpoint.hasSaid("from \(source)\n"), "\(place)")
        }
        policy.update(web, ready: [])
        try policy.table.flush()
        for (place, address, port, _) in targets {
            // An association that the kernel knows goes on.
            try policy.lab.shell("conntrack -F", in: "node")
            #expect(try policy.lab.python(Self.caller, "\(address)", "\(port)", in: place) == "refused", "\(place)")
        }
    }
}
