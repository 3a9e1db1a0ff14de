import Addresses
import Linux
import Netlink
import Testing
import WireGuard

@Suite("Messages to the kernel's WireGuard")
struct WireGuardMessageTests {
    private let key = [UInt8](1...32)

    private func hex(_ request: NetlinkRequest) -> String {
        var bytes: [UInt8] = []
        request.encode(to: &bytes, sequence: 7)
        return bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private func joined(_ parts: String...) -> String {
        parts.joined().filter { !$0.isWhitespace }
    }

    @Test("Key and port are laid out as linux/wireguard.h says")
    func configure() throws {
        let private_ = try #require(WireGuardKey(bytes: key))
        let request = WireGuardMessage.set(family: 0x1c, interface: 5, privateKey: private_, listenPort: 51820)
        #expect(
            hex(request)
                == joined(
                    "48000000 1c00 0100 07000000 00000000",  // nlmsghdr: 72 bytes, the family, NLM_F_REQUEST
                    "01 01 0000",  // genlmsghdr: WG_CMD_SET_DEVICE, version 1
                    "0800 0100 05000000",  // WGDEVICE_A_IFINDEX
                    "2400 0300 0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20",  // _PRIVATE_KEY
                    "0600 0600 6cca 0000"))  // WGDEVICE_A_LISTEN_PORT and padding
        let read = WireGuardMessage.get(family: 0x1c, interface: 5)
        #expect(hex(read) == joined("1c000000 1c00 0100 07000000 00000000 00 01 0000 0800 0100 05000000"))
    }

    @Test("A peer carries its endpoint and its addresses of both families")
    func peer() throws {
        let key = try #require(WireGuardKey(bytes: [UInt8](repeating: 0xaa, count: 32)))
        let keyText = String(repeating: "aa", count: 32)
        let peer = WireGuardPeer(
            publicKey: key, endpoint: WireGuardEndpoint(try #require(IPAddress("192.0.2.7")), port: 51820),
            allowed: Set(["10.244.7.0/24", "fd00:7::/64"].compactMap { IPPrefix($0) }))
        let requests = WireGuardMessage.change(family: 0x1c, interface: 5, [.set(peer), .remove(key)])
        #expect(requests.count == 1)
        #expect(
            hex(try #require(requests.first))
                == joined(
                    "dc000000 1c00 0100 07000000 00000000 01010000 0800 0100 05000000",
                    "c000 0880",  // WGDEVICE_A_PEERS, nested
                    "8c00 0080",  // the first peer
                    "2400 0100", keyText,  // WGPEER_A_PUBLIC_KEY
                    "0800 0300 02000000",  // WGPEER_A_FLAGS: WGPEER_F_REPLACE_ALLOWEDIPS
                    "1400 0400 0200 ca6c c0000207 0000000000000000",  // WGPEER_A_ENDPOINT: sockaddr_in
                    "4800 0980",  // WGPEER_A_ALLOWEDIPS, nested
                    "1c00 0080 0600 0100 0200 0000 0800 0200 0af40700 0500 0300 18 000000",
                    "2800 0080 0600 0100 0a00 0000 1400 0200 fd000007000000000000000000000000",
                    "0500 0300 40 000000",
                    "3000 0080",  // the second peer
                    "2400 0100", keyText, "0800 0300 01000000"))  // WGPEER_F_REMOVE_ME
    }

    @Test("What the kernel answers reads back as the peer that was set", arguments: ["192.0.2.7", "2001:db8::7"])
    func roundTrip(endpoint: String) throws {
        let peer = WireGuardPeer(
            publicKey: try #require(WireGuardKey(bytes: key)),
            endpoint: WireGuardEndpoint(try #require(IPAddress(endpoint)), port: 4711),
            allowed: Set(["10.244.7.0/24", "fd00:7::/64", "0.0.0.0/0"].compactMap { IPPrefix($0) }))
        let others = (1...250).map { number in
            WireGuardMessage.PeerChange.set(
                WireGuardPeer(
                    publicKey: WireGuardKey(bytes: [UInt8(number)] + [UInt8](repeating: 9, count: 31))
                        ?? peer.publicKey, endpoint: nil, allowed: []))
        }
        let requests = WireGuardMessage.change(family: 0x1c, interface: 5, [.set(peer)] + others)
        #expect(requests.count == 3)
        // The kernel answers with the attributes that it takes.
        let bytes = requests.reduce(into: [UInt8]()) { $1.encode(to: &$0, sequence: 1) }
        let device = WireGuardDevice(NetlinkReply.parse(bytes[...]))
        #expect(device.peers.contains(peer))
        #expect(device.peers.count == 251)
        #expect(device.publicKey == nil)
    }

    @Test("A kernel without WireGuard is told from one that has it, and a link that is none is refused")
    func detect() throws {
        do throws(NetlinkError) {
            var socket = try WireGuardSocket()
            #expect(throws: NetlinkError.self) { try socket.device(1) }
        } catch {
            #expect(error.errno == .notSupported && error.message.contains("module"))
        }
    }

    @Test("A key has 32 bytes")
    func sizes() {
        #expect(WireGuardKey(bytes: [1, 2, 3]) == nil)
        #expect(WireGuardKey(bytes: [UInt8](repeating: 0, count: 32))?.isZero == true)
    }

    @Test("A packet grows by 60 bytes over IPv4 and by 80 over IPv6")
    func overhead() {
        #expect(IPFamily.allCases.map(WireGuardDevice.overhead) == [60, 80])
    }
}
