// swift-tools-version: 6.2
// Floors 0 to 4 of Duet: no Foundation, no NIO, no concurrency runtime. The target list stands in floor order;
// a target imports only targets above it in this list.
import PackageDescription

/// Continuous integration accepts no warning.
let warnings: [SwiftSetting] = Context.environment["CI"] == nil ? [] : [.treatAllWarnings(as: .error)]

let testSettings: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableExperimentalFeature("Lifetimes"),
    ] + warnings

let swiftSettings: [SwiftSetting] = testSettings + [.strictMemorySafety()]

/// A Swift target of the core, with the settings that all of them share.
func core(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: swiftSettings)
}

/// The tests of one core target.
func tests(_ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: [.byName(name: name), "TestSupport"] + dependencies, exclude: exclude,
        swiftSettings: testSettings)
}

let targets: [Target] = [
    // Floor 0: kernel headers that Swift cannot see; no logic.
    .target(name: "CLinux"),
    // Floor 1: addresses, prefixes, ranges, RFC 5952 text.
    core("Addresses"),
    // Floor 1: byte cursor and writer, endian loads, Internet checksum.
    core("Wire"),
    // Floor 1: JSON values, reader, writer, pointer, patches, and Codable over values.
    core("JSON"),
    // Floor 2: system calls: descriptors, epoll, namespaces, processes, sysctls.
    core("Linux", ["CLinux"]),
    // Floor 2: blocks of addresses out of fragments, and how long they last.
    core("AddressPlanning", ["Addresses", "JSON"]),
    // Floor 2: views and builders of packet headers.
    core("Packet", ["Addresses", "Wire"]),
    // Floor 2: DNS wire codec.
    core("DNSMessage", ["Addresses", "Wire"]),
    // Floor 3: netlink requests, dumps, multicast, extended acks, batches.
    core("Netlink", ["CLinux", "Linux"]),
    // Floor 3: links, addresses, routes, neighbours.
    core("RouteNetlink", ["CLinux", "Linux", "Netlink", "Addresses"]),
    // Floor 3: WireGuard devices and peers.
    core("WireGuard", ["CLinux", "Linux", "Netlink", "Addresses"]),
    // Floor 3: nftables tables, chains, rules, sets and maps.
    core("NFTables", ["CLinux", "Linux", "Netlink", "Addresses"]),
    // Floor 3: connection tracking entries.
    core("Conntrack", ["CLinux", "Linux", "Netlink", "Addresses"]),
    // Floor 3: the sockets of a network namespace.
    core("SocketDiagnostics", ["CLinux", "Linux", "Netlink", "Addresses"]),
    // Floor 3: the objects of BPF/, compiled, and the layouts that their maps share with Swift.
    .target(name: "CBPFObjects", exclude: ["objects"]),
    // Floor 3: eBPF objects, maps, programs and what they are attached to.
    core("BPF", ["CLinux", "CBPFObjects", "Linux"]),
    // Floor 3: translation between the families, stateless and with sessions, as pure functions on packet bytes.
    core("Translation", ["Addresses", "Wire", "Packet"]),
    // Floor 3: multi-queue TUN devices that leave segments and checksums to those behind them.
    core("TUN", ["CLinux", "Linux"]),
    // Floor 3: names of a zone, answers of other servers, and what a client gets of them: pure, and without allocations.
    core("DNSResolution", ["Addresses", "Wire", "DNSMessage"]),
    // Floor 4: translators on a TUN device: a thread for each queue, sessions in shards.
    core("TranslationEngine", ["Addresses", "Wire", "Packet", "Linux", "TUN", "Translation"]),
    // Floor 4: the kernel's translation at the links of pods.
    core(
        "PodTranslation",
        ["CBPFObjects", "Addresses", "Linux", "Netlink", "RouteNetlink", "BPF"]),
    // Floor 4: the CNI protocol: configuration, results, errors, environment.
    core("CNI", ["Addresses", "JSON", "Linux"]),
    // Floor 4: address allocation on disk, compatible with the reference host-local.
    core("HostLocalIPAM", ["Addresses", "JSON", "Linux", "CNI"]),
    // Floor 4: the plugins, one directory each.
    core(
        "CNIPlugins",
        ["Addresses", "JSON", "Linux", "Netlink", "RouteNetlink", "NFTables", "Conntrack", "CNI", "HostLocalIPAM"]),
    // Floor 4: object types, metadata, selectors, patches, API errors.
    core("KubernetesAPI", ["JSON"]),
    // Floor 4: a DNS server on threads of its own: sockets, streams, exchanges with other servers.
    core("DNSServing", ["CLinux", "Addresses", "Wire", "Linux", "DNSMessage", "DNSResolution"]),
    // Floor 4: the names of Services, endpoints and pods, out of their objects.
    core("ClusterNames", ["Addresses", "Wire", "DNSMessage", "DNSResolution", "KubernetesAPI"]),
    // Floor 8: the static multi-call plugin binary: swift build -c release --product duet-cni
    // Static and without Foundation it starts in under a millisecond, and needs no Swift on the machine that runs it.
    .executableTarget(
        name: "duet-cni", dependencies: ["CNIPlugins", "CNI", "Linux"], swiftSettings: swiftSettings,
        linkerSettings: [
            .unsafeFlags(["-static-executable", "-Xlinker", "-s"], .when(configuration: .release))
        ]),
    // Translates packets from its standard input, for comparison with other translators in the system tests.
    .executableTarget(
        name: "translate-packets", dependencies: ["Addresses", "Translation"], path: "Tests/TranslatePackets",
        swiftSettings: testSettings),
    // Counts the allocations of the tests.
    .target(name: "CAllocationCount", path: "Tests/CAllocationCount"),
    // For tests alone: what those of several targets share.
    core("TestSupport"),
    // For tests and the fuzzer alone: what must hold of each parser, whatever it is given.
    core(
        "ParserChecks",
        ["Addresses", "JSON", "DNSMessage", "DNSResolution", "KubernetesAPI", "Packet", "Translation"]),

    tests("Addresses"),
    tests("AddressPlanning", ["Addresses", "JSON"]),
    tests("Wire"),
    tests("JSON"),
    tests("Linux"),
    tests("Packet", ["Addresses", "Wire"]),
    tests("DNSMessage", ["Addresses"]),
    tests("DNSResolution", ["Addresses", "DNSMessage"]),
    tests("Netlink"),
    tests("RouteNetlink", ["Linux", "Netlink", "Addresses"]),
    tests("WireGuard", ["Linux", "Netlink", "Addresses"]),
    tests("NFTables", ["Linux", "Addresses", "RouteNetlink"]),
    tests("Conntrack", ["Linux", "Addresses"]),
    tests("SocketDiagnostics", ["Addresses", "Linux"]),
    // The programs are compiled by the tests.
    tests("BPF", ["Linux", "RouteNetlink"], exclude: ["Programs"]),
    tests("Translation", ["Addresses", "Packet", "BPF", "RouteNetlink", "PodTranslation", "CAllocationCount"]),
    tests("TranslationEngine", ["Translation", "TUN", "Linux", "RouteNetlink", "Addresses"]),
    tests("CNI", ["JSON", "Addresses"]),
    tests("HostLocalIPAM", ["Addresses", "CNI", "Linux"]),
    tests(
        "CNIPlugins", ["JSON", "Addresses", "CNI", "Linux", "NFTables", "duet-cni"]),
    tests("KubernetesAPI", ["JSON"]),
    tests("ParserChecks"),
    tests("DNSServing", ["CLinux", "Addresses", "DNSMessage", "DNSResolution", "Linux"]),
    tests("ClusterNames", ["Addresses", "DNSMessage", "DNSResolution", "KubernetesAPI", "CAllocationCount"]),
]

let package = Package(
    name: "duet-core",
    platforms: [.macOS(.v15)],
    products: targets.filter { !$0.isTest && $0.type == .regular && $0.path == nil }
        .map { .library(name: $0.name, targets: [$0.name]) }
        + [.executable(name: "duet-cni", targets: ["duet-cni"])],
    targets: targets,
    swiftLanguageModes: [.v6]
)
