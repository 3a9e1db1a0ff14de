import Addresses
import PodRouting
import Testing

@Suite("What routing daemons are told")
struct BGPConfigurationTests {
    private func peers(_ texts: String...) -> [BGPConfiguration.Peer] {
        texts.compactMap { BGPConfiguration.Peer($0) }
    }

    @Test("FRR advertises each family's blocks to the routers of the family, and takes no route")
    func frr() {
        let configuration = BGPConfiguration(
            daemon: .frr, autonomousSystem: 64512, peers: peers("172.20.0.254@64513", "fd00:20::ffff@64513"))
        #expect(
            configuration.text(for: clusterNode(1)) == """
                ! Written by duet agent: changes are lost.
                route-map duet-refuse deny 10
                exit
                !
                router bgp 64512
                 bgp router-id 172.20.0.1
                 no bgp default ipv4-unicast
                 no bgp ebgp-requires-policy
                 bgp graceful-restart
                 bgp graceful-restart preserve-fw-state
                 no bgp network import-check
                 neighbor 172.20.0.254 remote-as 64513
                 neighbor 172.20.0.254 update-source 172.20.0.1
                 neighbor 172.20.0.254 timers connect 5
                 neighbor fd00:20::ffff remote-as 64513
                 neighbor fd00:20::ffff update-source fd00:20::1
                 neighbor fd00:20::ffff timers connect 5
                 !
                 address-family ipv4 unicast
                  network 10.244.1.0/24
                  neighbor 172.20.0.254 activate
                  neighbor 172.20.0.254 route-map duet-refuse in
                 exit-address-family
                 !
                 address-family ipv6 unicast
                  network fd00:10:244:1::/64
                  neighbor fd00:20::ffff activate
                  neighbor fd00:20::ffff route-map duet-refuse in
                 exit-address-family
                exit
                !

                """)
    }

    @Test("Over IPv6 sessions alone both families are told; IPv6 over IPv4 needs an IPv6 next hop")
    func families() {
        let overIPv6 = BGPConfiguration(
            daemon: .frr, autonomousSystem: 64512, peers: peers("fd00:20::ffff@64513"))
        let text = overIPv6.text(for: clusterNode(1, addresses: ["fd00:20::1"]))
        #expect(text.contains(" neighbor fd00:20::ffff capability extended-nexthop\n"))
        #expect(text.contains("  network 10.244.1.0/24\n  neighbor fd00:20::ffff activate\n"))
        let overIPv4 = BGPConfiguration(
            daemon: .frr, autonomousSystem: 64512, peers: peers("172.20.0.254@64513"))
        #expect(!overIPv4.text(for: clusterNode(1, addresses: ["172.20.0.1"])).contains("fd00:10:244:1::/64"))
        #expect(overIPv4.text(for: clusterNode(1)).contains("fd00:10:244:1::/64"))
    }

    @Test("What goes wrong is told without passwords")
    func passwords() {
        let error = RoutingDaemonError(
            command: ["vtysh"], problem: "failed", output: "router bgp 1\n neighbor 192.0.2.1 password x\nexit\n")
        #expect(error.description == "\"vtysh\" failed: router bgp 1\nexit")
    }

    @Test("BIRD has the blocks as static routes that stay in the daemon")
    func bird() {
        let configuration = BGPConfiguration(
            daemon: .bird, autonomousSystem: 64512, peers: peers("fd00:20::ffff@64513"))
        #expect(
            configuration.text(for: clusterNode(1)) == """
                # Written by duet agent: changes are lost.
                router id 172.20.0.1;
                ipv4 table duet_table4;
                protocol static duet_blocks4 {
                  ipv4 { table duet_table4; };
                  route 10.244.1.0/24 unreachable;
                }
                ipv6 table duet_table6;
                protocol static duet_blocks6 {
                  ipv6 { table duet_table6; };
                  route fd00:10:244:1::/64 unreachable;
                }
                protocol bgp duet_peer1 {
                  local fd00:20::1 as 64512;
                  neighbor fd00:20::ffff as 64513;
                  connect delay time 1;
                  connect retry time 5;
                  error wait time 2, 30;
                  graceful restart on;
                  ipv4 {
                    table duet_table4;
                    import none;
                    export where proto = "duet_blocks4";
                    next hop self;
                    extended next hop on;
                  };
                  ipv6 {
                    table duet_table6;
                    import none;
                    export where proto = "duet_blocks6";
                    next hop self;
                  };
                }

                """)
    }

    @Test("What a daemon prints is searched for every block that routers hear of")
    func missingBlocks() {
        let configuration = BGPConfiguration(
            daemon: .bird, autonomousSystem: 64512, peers: peers("172.20.0.254@64513"))
        let node = clusterNode(1)
        func missing(_ text: String, of node: ClusterNode) -> [String] {
            configuration.missingBlocks(of: node, in: text).map(\.description)
        }
        #expect(missing("", of: node) == ["10.244.1.0/24", "fd00:10:244:1::/64"])
        let shown = "10.244.1.0/24\tunreachable [duet_blocks4]\n10.244.11.0/24"
        #expect(missing(shown, of: node) == ["fd00:10:244:1::/64"])
        #expect(missing("  network 10.244.1.0/24\n network fd00:10:244:1:0::/64\n", of: node) == [])
        // Without an IPv6 next hop nobody hears of the IPv6 block.
        #expect(missing("10.244.1.0/24", of: clusterNode(1, addresses: ["172.20.0.1"])) == [])
    }

    @Test("A daemon is asked only where the command to ask it is known")
    func checkCommand() {
        func command(_ reload: [String]?, _ check: [String]?) -> [String] {
            BGPConfiguration(
                daemon: .bird, autonomousSystem: 1, peers: [], reloadCommand: reload, checkCommand: check
            ).checkCommand
        }
        #expect(command(nil, nil).first == "birdc")
        #expect(command(["reload"], nil).isEmpty)
        #expect(command(["reload"], ["check"]) == ["check"])
    }

    @Test("A node without an IPv4 address has a number nevertheless, always the same")
    func routerID() {
        let node = clusterNode(1, addresses: ["fd00:20::1"])
        let number = BGPConfiguration.routerID(of: node)
        #expect(number.family == .ipv4 && !number.isUnspecified && number == BGPConfiguration.routerID(of: node))
        #expect(number != BGPConfiguration.routerID(of: clusterNode(2, addresses: ["fd00:20::2"])))
    }

    @Test(
        "What names no router is refused",
        arguments: ["", "192.0.2.1", "192.0.2.1@", "192.0.2.1@0", "192.0.2.1@x", "@64513", "x@1", "192.0.2.1@1@2"])
    func peer(text: String) {
        #expect(BGPConfiguration.Peer(text) == nil)
    }

    @Test("A router may stand in either family and any autonomous system")
    func validPeer() {
        #expect(peers("192.0.2.1@4200000000", "2001:db8::1@1").map(\.autonomousSystem) == [4_200_000_000, 1])
    }
}
