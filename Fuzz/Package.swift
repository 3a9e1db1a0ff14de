// swift-tools-version: 6.2
// The fuzzer of Duet's parsers: libFuzzer, which the Swift toolchain brings, around the checks of the core.
// To be built with `--sanitize fuzzer`, as `run` does, so that the parsers tell what they cover.
import PackageDescription

let package = Package(
    name: "duet-fuzz",
    dependencies: [.package(name: "duet-core", path: "../Core")],
    targets: [
        .executableTarget(
            name: "fuzz", dependencies: [.product(name: "ParserChecks", package: "duet-core")],
            swiftSettings: [.enableUpcomingFeature("ExistentialAny"), .unsafeFlags(["-parse-as-library"])])
    ],
    swiftLanguageModes: [.v6]
)
