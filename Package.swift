// swift-tools-version: 6.2
// Floors 5 to 8 of Duet; floors 0 to 4 are the package in Core/. The target list stands in floor order;
// a target imports only targets above it in this list, and the core.
import PackageDescription

/// Continuous integration accepts no warning.
let warnings: [SwiftSetting] = Context.environment["CI"] == nil ? [] : [.treatAllWarnings(as: .error)]

let swiftSettings: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
    ] + warnings

/// On the path of every request, functions stay on their caller's thread without asking the runtime for it at each call;
/// what writes to the library's non-sendable writers is marked `@concurrent`, as the library's own functions are.
let requestSettings: [SwiftSetting] =
    swiftSettings + [.enableUpcomingFeature("NonisolatedNonsendingByDefault")]

/// Products of the core package by name.
func core(_ names: String...) -> [Target.Dependency] {
    names.map { .product(name: $0, package: "Core") }
}

/// A test target that shares the settings of the sources.
func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: [.byName(name: name)] + core("TestSupport") + dependencies,
        swiftSettings: swiftSettings)
}

let log = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
/// What serves HTTP with TLS.
let http: [Target.Dependency] = [
    .product(name: "HummingbirdCore", package: "hummingbird"),
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOHTTP1", package: "swift-nio"),
    .product(name: "NIOSSL", package: "swift-nio-ssl"),
    .product(name: "HTTPTypes", package: "swift-http-types"),
]
let hummingbirdTLS = Target.Dependency.product(name: "HummingbirdTLS", package: "hummingbird")
let certificates: [Target.Dependency] = [
    .product(name: "X509", package: "swift-certificates"),
    .product(name: "SwiftASN1", package: "swift-asn1"),
]

/// Links Swift and Foundation into the command.
///
/// It then runs on machines without Swift, and less of it is resident than with shared libraries, which are read in scattered
/// pages. The libraries named are what Foundation is made of.
let staticSwift: [LinkerSetting] = [
    .unsafeFlags(
        ["-static-stdlib", "-use-ld=lld"]
            + ["--strip-debug", "--no-export-dynamic", "--icf=safe", "-z", "pack-relative-relocs"].flatMap {
                ["-Xlinker", $0]
            }
            + ["CoreFoundation", "_FoundationICU", "_FoundationCShims", "_FoundationCollections"].map { "-l\($0)" },
        .when(platforms: [.linux], configuration: .release))
]

let targets: [Target] = [
    // zlib, which compresses the answers of the API.
    .systemLibrary(name: "CZlib"),
    // What the C library says of its heaps, which Swift's module of it leaves out.
    .systemLibrary(name: "CMalloc"),
    // Floor 5: kubeconfig, REST, watches, informers, work queue.
    .target(
        name: "KubernetesClient",
        dependencies: core("KubernetesAPI", "JSON", "Addresses", "Linux") + [
            log, lifecycle, httpClient, .product(name: "Yams", package: "Yams"),
            .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
            .product(name: "NIOSSL", package: "swift-nio-ssl"), .product(name: "NIOHTTP1", package: "swift-nio"),
        ],
        swiftSettings: swiftSettings),
    // Floor 5: connections that cease to speak HTTP: upgrades, relays, SPDY/3.1, WebSockets.
    .target(
        name: "Streaming",
        dependencies: core("KubernetesAPI", "JSON") + http + [
            log, lifecycle, .product(name: "NIOWebSocket", package: "swift-nio"),
        ],
        swiftSettings: swiftSettings),
    // Floor 6: the embedded control plane's API.
    .target(
        name: "APIServer",
        dependencies: ["CZlib", "Streaming"] + core("KubernetesAPI", "JSON", "Addresses", "Linux") + http + certificates
            + [
                log, lifecycle, httpClient, hummingbirdTLS, .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
                .product(name: "Yams", package: "Yams"),
            ],
        swiftSettings: requestSettings),
    // Floor 6: node address blocks, endpoint slices, workloads, scheduler, namespaces, garbage collection.
    .target(
        name: "Controllers",
        dependencies: ["KubernetesClient"]
            + core("KubernetesAPI", "JSON", "Addresses", "AddressPlanning") + [log, lifecycle],
        swiftSettings: swiftSettings),
    // Floor 6: the messages of the container runtime interface, generated from its proto file.
    .target(
        name: "CRI",
        dependencies: [
            .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            .product(name: "GRPCCore", package: "grpc-swift-2"),
            .product(name: "GRPCProtobuf", package: "grpc-swift-protobuf"),
        ],
        exclude: ["runtime.proto", "README.md"]),
    // Floor 6: pods through a CRI runtime.
    .target(
        name: "PodRuntime",
        dependencies: ["CRI", "KubernetesClient", "Streaming"]
            + core("KubernetesAPI", "JSON", "Addresses", "Linux", "RouteNetlink") + http + certificates + [
                log, lifecycle, httpClient, hummingbirdTLS, .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
                .product(name: "GRPCCore", package: "grpc-swift-2"),
                .product(name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport"),
            ],
        swiftSettings: swiftSettings),
    // Floor 6: routes between nodes, masquerading, the CNI configuration of a node.
    .target(
        name: "PodRouting",
        dependencies: ["KubernetesClient"]
            + core(
                "KubernetesAPI", "JSON", "Addresses", "Linux", "Netlink", "RouteNetlink", "WireGuard", "NFTables")
            + [log, lifecycle, .product(name: "Crypto", package: "swift-crypto")],
        swiftSettings: swiftSettings),
    // Floor 6: Services as nftables data maps.
    .target(
        name: "ServiceProxy",
        dependencies: ["KubernetesClient"]
            + core(
                "KubernetesAPI", "JSON", "Addresses", "Linux", "Netlink", "RouteNetlink", "NFTables", "Conntrack",
                "SocketDiagnostics", "CBPFObjects", "BPF", "Translation", "TranslationEngine", "PodTranslation")
            + [
                log, lifecycle, .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
        swiftSettings: swiftSettings),
    // Floor 6: the cluster's names, on every node.
    .target(
        name: "ClusterDNS",
        dependencies: ["KubernetesClient"]
            + core(
                "KubernetesAPI", "Addresses", "DNSResolution", "DNSServing", "ClusterNames", "Linux", "Netlink",
                "RouteNetlink", "NFTables") + [
                log, lifecycle, .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
        swiftSettings: swiftSettings),
    // Floor 6: translation between the families on this machine: configuration, device, commands, metrics.
    .target(
        name: "NAT64",
        dependencies: core(
            "Addresses", "JSON", "Linux", "Netlink", "RouteNetlink", "BPF", "Translation", "TranslationEngine",
            "PodTranslation")
            + [
                log, lifecycle, httpClient, .product(name: "Yams", package: "Yams"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
        swiftSettings: swiftSettings),
    // Floor 6: translation for the pods of a node that have IPv6 alone.
    .target(
        name: "NodeTranslation",
        dependencies: ["KubernetesClient", "PodRouting"]
            + core(
                "KubernetesAPI", "Addresses", "JSON", "Linux", "Netlink", "RouteNetlink", "NFTables", "BPF",
                "Translation", "TranslationEngine", "PodTranslation") + [log, lifecycle],
        swiftSettings: swiftSettings),
    // Floor 6: probes and the connectivity matrix.
    .target(
        name: "Verify",
        dependencies: ["KubernetesClient"] + core("KubernetesAPI", "Addresses", "DNSMessage", "Linux"),
        swiftSettings: swiftSettings),
    // Floor 7: composition of one node's network services.
    .target(
        name: "Agent",
        dependencies: ["CMalloc", "KubernetesClient", "PodRouting", "ServiceProxy", "ClusterDNS", "NodeTranslation"]
            + core("KubernetesAPI") + [log, lifecycle],
        swiftSettings: swiftSettings),
    // Floor 7: a cluster of network namespaces on one machine.
    .target(
        name: "LocalCluster",
        dependencies: ["KubernetesClient", "APIServer", "ServiceProxy", "NodeTranslation", "Verify"]
            + core("KubernetesAPI", "JSON", "Addresses", "Linux", "Netlink", "RouteNetlink", "NFTables"),
        swiftSettings: swiftSettings),
    // Floor 8: the command.
    .executableTarget(
        name: "duet",
        dependencies: [
            "APIServer", "Controllers", "PodRuntime", "PodRouting", "ServiceProxy", "ClusterDNS", "Agent",
            "LocalCluster", "Verify", "KubernetesClient", "NAT64", "NodeTranslation",
        ]
            + core(
                "KubernetesAPI", "Addresses", "AddressPlanning", "JSON", "Linux", "RouteNetlink", "DNSMessage",
                "DNSResolution", "DNSServing", "ClusterNames") + [
                log, lifecycle, .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
        swiftSettings: swiftSettings, linkerSettings: staticSwift),

    tests("KubernetesClient", core("KubernetesAPI") + [.product(name: "NIOCore", package: "swift-nio")]),
    tests(
        "Streaming",
        core("JSON") + [
            log, .product(name: "HummingbirdCore", package: "hummingbird"),
            .product(name: "HTTPTypes", package: "swift-http-types"),
            .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOEmbedded", package: "swift-nio"),
        ]),
    tests(
        "APIServer",
        core("KubernetesAPI", "JSON", "Addresses") + [
            log, httpClient,
            .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOEmbedded", package: "swift-nio"),
            .product(name: "NIOFoundationCompat", package: "swift-nio"),
            .product(name: "NIOPosix", package: "swift-nio"),
            .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
        ]),
    tests(
        "Controllers",
        ["KubernetesClient", "APIServer", log] + core("KubernetesAPI", "JSON", "Addresses")),
    tests(
        "PodRuntime",
        ["KubernetesClient", "APIServer", log, httpClient] + core("KubernetesAPI", "JSON", "Addresses", "Linux") + [
            .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
            .product(name: "NIOEmbedded", package: "swift-nio"),
            .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
        ]),
    tests("NAT64", core("Addresses", "Translation")),
    tests(
        "PodRouting",
        core("KubernetesAPI", "Addresses", "Linux", "RouteNetlink", "WireGuard", "NFTables") + [log]),
    tests(
        "ServiceProxy",
        core(
            "KubernetesAPI", "JSON", "Addresses", "Linux", "Netlink", "RouteNetlink", "NFTables", "Conntrack", "BPF")
            + [log]),
    tests(
        "ClusterDNS",
        ["KubernetesClient"]
            + core(
                "KubernetesAPI", "Addresses", "DNSMessage", "DNSResolution", "DNSServing", "Linux", "RouteNetlink",
                "NFTables") + [log]),
    tests("Agent", ["ServiceProxy"] + core("KubernetesAPI", "Addresses")),
    tests("NodeTranslation", core("KubernetesAPI", "Addresses", "Linux", "NFTables", "Translation")),
    tests("Verify", core("KubernetesAPI", "Addresses", "Linux")),
    tests("LocalCluster", core("Addresses")),
]

let package = Package(
    name: "duet",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "duet", targets: ["duet"])],
    dependencies: [
        .package(path: "Core"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.7.0"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.3"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.2"),
        .package(url: "https://github.com/grpc/grpc-swift-protobuf", from: "2.4.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: targets,
    swiftLanguageModes: [.v6]
)
