import Addresses
import NAT64
import Testing
import Translation

struct `A translator's file` {
    private func parse(_ text: String) throws -> TranslatorConfiguration {
        try TranslatorConfiguration(parsing: text, secret: 1, processors: 4)
    }

    @Test
    func `says little where the usual is wanted`() throws {
        let configuration = try parse("pool: [192.0.2.64/30, 192.0.2.9]")
        guard case .stateful(let nat64) = configuration.mode else {
            Issue.record("not stateful")
            return
        }
        #expect(nat64.pool.map(\.description) == ["192.0.2.9", "192.0.2.64", "192.0.2.65", "192.0.2.66", "192.0.2.67"])
        #expect(nat64.prefix == .wellKnown)
        #expect(nat64.ports == 1024...65535)
        #expect(nat64.options.ipv4Address?.description == "192.0.2.9")
        #expect(nat64.options.ipv6Address?.description == "64:ff9b::c000:209")
        #expect(configuration.queues == 4)
        #expect(configuration.device == "nat64")
        #expect(configuration.control == "/run/duet/nat64.sock")
        #expect(configuration.metrics == nil)
        #expect(configuration.routes.map(\.description) == ["64:ff9b::/96"] + nat64.pool.map { "\($0)/32" })
    }

    @Test
    func `says everything that can be said of sessions`() throws {
        let configuration = try parse(
            """
            device: t0
            queues: 2
            prefix: 2001:db8:100::/40
            pool: [192.0.2.1]
            ports: 2000-2999
            forwards: [{protocol: udp, public: "192.0.2.1:53", client: "[2001:db8::5]:5353"}]
            filtering: address-dependent
            deny: [198.18.0.0/15, 203.0.113.7]
            embedsNonGlobal: true
            addresses: {ipv4: 192.0.2.254, ipv6: "2001:db8::fe"}
            mtu: {ipv4: 1400, ipv6: 1420, lowestIPv6: 1300}
            limits: {sessions: 1000, sessionsPerClient: 100, portsPerClient: 10, clientPrefixLength: 64, heldFragments: 5,
              heldOpens: 0, restingPorts: 9, errorsPerSecond: 7}
            timeouts: {udp: 120, tcpEstablished: 7200, tcpTransitory: 200, tcpIncomingOpen: 5, icmp: 30, fragment: 3,
              portRest: 0}
            makesUDPChecksums: false
            copiesTrafficClass: false
            control: /tmp/x.sock
            metrics: "[::1]:9464"
            """)
        guard case .stateful(let nat64) = configuration.mode else {
            Issue.record("not stateful")
            return
        }
        #expect(nat64.prefix.prefix.description == "2001:db8:100::/40")
        #expect(nat64.ports == 2000...2999)
        let client = try #require(IPv6Address("2001:db8::5"))
        let forward = PortForward(
            kind: .udp, publicAddress: nat64.pool[0], publicPort: 53, client: client, clientPort: 5353)
        #expect(nat64.forwards == [forward])
        #expect(nat64.filtering == .addressDependent)
        #expect(nat64.deniedDestinations.map(\.description) == ["198.18.0.0/15", "203.0.113.7/32"])
        #expect(nat64.embedsNonGlobal)
        #expect(configuration.ownAddresses.map(\.description) == ["192.0.2.254", "2001:db8::fe"])
        let options = nat64.options
        #expect(
            [options.ipv4MTU, options.ipv6MTU, options.lowestIPv6MTU, options.repliesPerSecond] == [
                1400, 1420, 1300, 7,
            ])
        #expect(!options.makesUDPChecksums && !options.copiesTrafficClass)
        #expect(
            [
                nat64.maximumSessions, nat64.sessionsPerClient, nat64.mappingsPerClient, nat64.clientPrefixLength,
                nat64.maximumHeldFragments, nat64.maximumHeldSYNs, nat64.maximumRestingPorts,
            ] == [1000, 100, 10, 64, 5, 0, 9])
        let timeouts = nat64.timeouts
        #expect(
            [
                timeouts.udp, timeouts.tcpEstablished, timeouts.tcpTransitory, timeouts.tcpIncomingSYN, timeouts.icmp,
                timeouts.fragment, timeouts.portRest,
            ] == [120, 7200, 200, 5, 30, 3, 0])
        #expect(configuration.device == "t0" && configuration.queues == 2 && configuration.control == "/tmp/x.sock")
        #expect(configuration.metrics?.host == "::1" && configuration.metrics?.port == 9464)
    }

    @Test
    func `is warned of what the RFCs want otherwise, each with what follows from it`() throws {
        let keys: [(text: String, key: String?)] = [
            ("timeouts: {udp: 120, tcpEstablished: 7440, tcpTransitory: 240, icmp: 60, portRest: 120}", nil),
            ("timeouts: {udp: 119}", "timeouts.udp"), ("timeouts: {tcpEstablished: 7439}", "timeouts.tcpEstablished"),
            ("timeouts: {tcpTransitory: 239}", "timeouts.tcpTransitory"), ("timeouts: {icmp: 59}", "timeouts.icmp"),
            ("timeouts: {tcpIncomingOpen: 5}", "timeouts.tcpIncomingOpen"),
            ("timeouts: {fragment: 1}", "timeouts.fragment"), ("timeouts: {portRest: 119}", "timeouts.portRest"),
            ("timeouts: {portRest: 0}\nfiltering: address-dependent", nil),
            ("limits: {heldOpens: 0}", "limits.heldOpens"),
        ]
        for (text, key) in keys {
            let warnings = try parse("pool: [192.0.2.1]\n\(text)").warnings
            #expect(warnings.map { String($0.prefix { $0 != ":" }) } == [key].compactMap(\.self), "\(text)")
        }
        let warning = try parse("pool: [192.0.2.1]\ntimeouts: {udp: 30}").warnings.first
        #expect(
            warning
                == "timeouts.udp: 30 s are less than the 120 of RFC 4787, REQ-5: "
                + "clients that are silent for longer lose their ports")
        #expect(try parse("map: [{ipv4: 192.0.2.1, ipv6: '2001:db8::1'}]").warnings == [])
    }

    @Test
    func `pairs addresses without sessions`() throws {
        let configuration = try parse(
            "prefix: 2001:db8:64::/96\nmap: [{ipv4: 198.51.100.0/28, ipv6: '2001:db8:1::/64'}]\nlinks: [veth1, veth2]")
        guard case .stateless(let mapper, let options, let pairs) = configuration.mode else {
            Issue.record("not stateless")
            return
        }
        #expect(pairs.count == 1)
        #expect(mapper.prefix?.length == 96)
        #expect(options.ipv4Address?.description == "192.0.0.8")
        #expect(configuration.links == ["veth1", "veth2"])
        #expect(configuration.routes.map(\.description) == ["2001:db8:64::/96", "198.51.100.0/28"])
    }

    @Test(arguments: [
        ("prefix: 2001:db8:64::/96", true), ("prefix: 2001:db8:64::/96\nhostsInPrefix: false", false),
        ("map: [{ipv4: 192.0.2.1, ipv6: '2001:db8::1'}]", false),
        ("map: [{ipv4: 192.0.2.1, ipv6: '2001:db8::1'}]\nhostsInPrefix: true", true),
    ])
    func `takes hosts inside the prefix without pairs of addresses, or when told to`(
        file: String, areTaken: Bool
    ) throws {
        guard case .stateless(let mapper, _, _) = try parse("mode: stateless\n\(file)").mode else {
            Issue.record("not stateless")
            return
        }
        #expect(mapper.hostsAreEmbedded == areTaken)
    }

    @Test
    func `names links whose hosts are told the prefix`() throws {
        let configuration = try parse("pool: [192.0.2.1]\nannounce: {links: [lan0, lan1], routerLifetime: 1800}")
        #expect(configuration.announcements?.links == ["lan0", "lan1"])
        #expect(configuration.announcements?.announcement == .init(prefix: .wellKnown, routerLifetime: 1800))
        #expect(try parse("pool: [192.0.2.1]").announcements == nil)
    }

    @Test(arguments: [
        ("", "", "the file is empty"),
        ("hello", "", "the file names no keys"),
        ("---", "", "the file names no keys"),
        ("pool: [192.0.2.1]\nmtu: 1500", "mtu", "the value is no mapping"),
        ("pool: [192.0.2.1]\nprefix: [64:ff9b::/96]", "prefix", "the value is no text"),
        ("pool: [192.0.2.1]\nqueues: many", "queues", "the value is no number"),
        ("pool: [127.0.0.1]", "pool[0]", "no host's"),
        ("pool: [192.0.2.1, 224.0.0.0/28]", "pool[1]", "no host's"),
        ("pool: [192.0.2.1]\nprefix: ::/96", "prefix", "no packet may go to"),
        ("pool: [192.0.2.1]\nprefix: ff00::/32", "prefix", "no packet may go to"),
        ("pool: [192.0.2.1]\nprefix: ::ffff:0:0/96", "prefix", "no packet may go to"),
        ("pool: [192.0.2.1]\naddresses: {ipv6: 'ff02::1'}", "addresses.ipv6", "no host's"),
        ("pool: [192.0.2.1]\naddresses: {ipv4: 0.0.0.0}", "addresses.ipv4", "no host's"),
        (
            "pool: [192.0.2.1]\nforwards: [{protocol: tcp, public: '192.0.2.1:1', client: '[fe80::2]:1'}]",
            "forwards[0].client", "no host's"
        ),
        (
            "pool: [192.0.2.1]\nforwards: [{protocol: tcp, public: '192.0.2.1:1', client: '[64:ff9b::1]:1'}]",
            "forwards[0].client", "in the prefix"
        ),
        ("map: [{ipv4: 127.0.0.1, ipv6: '2001:db8::1'}]", "map[0].ipv4", "no host's"),
        ("map: [{ipv4: 192.0.2.1, ipv6: '::'}]", "map[0].ipv6", "no host's"),
        (
            "map: [{ipv4: 192.0.2.1, ipv6: '2001:db8::1'}, {ipv4: 192.0.2.1, ipv6: '2001:db8::2'}]", "map[1]",
            "map[0] has the same"
        ),
        ("mode: stateless\nprefix: 64:ff9b::/96\nlimits: {sessions: 5}", "limits.sessions", "no sessions in mode"),
        ("mode: stateless\nprefix: 64:ff9b::/96\nlinks: [eth0]", "links", "and a map"),
        ("pool: [192.0.2.1]\nannounce: {links: []}", "announce.links", "at least one link"),
        ("pool: [192.0.2.1]\nannounce: {links: [l, l]}", "announce.links", "l stands there twice"),
        ("pool: [192.0.2.1]\nannounce: {links: [nat64]}", "announce.links", "own device"),
        ("pool: [192.0.2.1]\ndevice: a%d", "device", "no name of a link"),
        ("pool: [192.0.2.1]\ndevice: all", "device", "no name of a link"),
        ("pool: [192.0.2.1]\ncontrol: /tmp/", "control", "no absolute path"),
        ("pool: [192.0.2.1]\nmetrics: '127.0.0.1:0'", "metrics", "no address and port"),
        ("pool: [192.0.2.1]\nannounce: {links: [l], routerLifetime: 9001}", "announce.routerLifetime", "0 to 9000"),
        ("pool: [192.0.2.1]\nannounce: {links: [/]}", "announce.links", "no name of a link"),
        ("map: [{ipv4: 192.0.2.1, ipv6: '2001:db8::1'}]\nannounce: {links: [l]}", "announce", "no prefix to announce"),
        ("prefix: 64:ff9b::/96", "pool", "name at least one IPv4 address"),
        ("pool: [10.0.0.0/8]", "pool[0]", "at most 4,096"),
        ("pool: [10.0.0.0/20, 10.1.0.0/20]", "pool", "more than 4,096"),
        ("pool: [2001:db8::1]", "pool[0]", "no IPv4 address"),
        ("pool: [x]", "pool[0]", "neither an address nor a network"),
        ("pool: 192.0.2.1", "pool", "the value is no list"),
        ("pool: [192.0.2.1]\nhostsInPrefix: true", "hostsInPrefix", "mode: stateless"),
        ("pool: [192.0.2.1]\nports: 10", "ports", "no range of ports"),
        ("pool: [192.0.2.1]\nports: 9-8", "ports", "no range of ports"),
        ("pool: [192.0.2.1]\nports: 5-6\nqueues: 3", "queues", "more queues than ports"),
        ("pool: [192.0.2.1]\nqueues: 65", "queues", "not from 1 to 64"),
        ("pool: [192.0.2.1]\nlimits: {session: 5}", "limits.session", "no such key"),
        (
            "pool: [192.0.2.1]\nforwards: [{protocol: sctp, public: '192.0.2.1:1', client: '[::2]:1'}]",
            "forwards[0].protocol", "neither tcp nor udp"
        ),
        (
            "pool: [192.0.2.1]\nforwards: [{protocol: tcp, public: '192.0.2.1', client: '[::2]:1'}]",
            "forwards[0].public", "no IPv4 address and port"
        ),
        (
            "pool: [192.0.2.1]\nforwards: [{protocol: tcp, public: '192.0.2.1:1', client: '::2:1'}]",
            "forwards[0].client", "no IPv6 address and port"
        ),
        ("pool: [192.0.2.1]\nforwards: [{protocol: tcp, public: '192.0.2.1:1'}]", "forwards[0]", "client is missing"),
        (
            "pool: [192.0.2.1]\nforwards: [{protocol: tcp, public: '192.0.2.1:1', client: '[::2]:1'}, {protocol: tcp, public: '192.0.2.1:1', client: '[::3]:1'}]",
            "forwards[1]", "forwards[0] has the same"
        ),
        ("pool: [192.0.2.1]\nfiltering: none", "filtering", "neither endpoint-independent nor address-dependent"),
        ("pool: [192.0.2.1]\ndeny: ['2001:db8::/32']", "deny[0]", "no IPv4 network"),
        ("pool: [192.0.2.1]\nmtu: {ipv6: 1279}", "mtu.ipv6", "not from 1280 to 65535"),
        ("pool: [192.0.2.1]\naddresses: {ipv4: '::1'}", "addresses.ipv4", "no IPv4 address"),
        ("pool: [192.0.2.1]\nmode: both", "mode", "neither stateful nor stateless"),
        ("pool: [192.0.2.1]\nmap: [{ipv4: 192.0.2.1, ipv6: '2001:db8::1'}]", "map", "belong to mode: stateless"),
        ("map: [{ipv4: 192.0.2.1, ipv6: '2001:db8::1'}]\nports: 1-2", "ports", "no sessions in mode: stateless"),
        ("mode: stateless", "map", "nothing is translated"),
        ("pool: [192.0.2.1]\nlinks: [eth0]", "links", "needs mode: stateless"),
        ("map: [{ipv4: 192.0.2.1, ipv6: '2001:db8::1'}]\nlinks: [eth0]", "links", "prefix of length 96"),
        ("pool: [192.0.2.1]\ndevice: a-name-that-is-too-long", "device", "no name of a link"),
        ("pool: [192.0.2.1]\ncontrol: x.sock", "control", "no absolute path"),
        ("pool: [192.0.2.1]\nmetrics: localhost", "metrics", "no address and port"),
    ])
    func `is refused with the key at fault and what to do`(text: String, key: String, problem: String) {
        let error = #expect(throws: TranslatorConfigurationError.self) { try parse(text) }
        #expect(error?.key == key)
        #expect(error?.problem.contains(problem) == true, "\(error?.problem ?? "")")
    }
}
