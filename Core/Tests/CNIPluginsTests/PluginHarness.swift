import Addresses
import CNI
import Glibc
import JSON
import Linux
import Testing

/// Whether this machine can run tests that make namespaces and compare with Debian's reference plugins.
let hasReference = geteuid() == 0 && FileSystem.exists("/usr/lib/cni/host-local")

/// Whether the kernel tells VLANs apart on bridges (CONFIG_BRIDGE_VLAN_FILTERING).
let hasBridgeVLANs: Bool = {
    guard hasReference, let node = try? TestNode() else { return false }
    let arguments = ["link", "add", "probe", "type", "bridge", "vlan_filtering", "1"]
    return (try? node.run(["/usr/sbin/ip"] + arguments))?.status.isSuccess ?? false
}()

/// One of the two implementations under comparison.
enum Implementation: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case ours, reference

    var testDescription: String { rawValue }

    /// The directory that holds the plugins under their names.
    func directory() throws -> String {
        switch self {
        case .reference: "/usr/lib/cni"
        case .ours: try OwnPlugins.directory.get()
        }
    }
}

/// Our binary, linked under the plugins' names beside the test bundle.
enum OwnPlugins {
    static let directory = Result {
        let build = try FileSystem.readLink("/proc/self/exe").split(separator: "/").dropLast().joined(separator: "/")
        let directory = "/\(build)/cni-plugins"
        let output = try ChildProcess.output(
            of: .init(executable: "/\(build)/duet-cni", arguments: ["--install", directory]))
        guard output.status.isSuccess else { throw CNIError(output.errorText) }
        return directory
    }
}

/// A host and one pod, each a network namespace, and a directory for allocations; all of it goes with the value.
final class TestNode: Sendable {
    let directory: String
    let host: String
    let pod: String

    /// - Parameter detectsDuplicates: whether IPv6 addresses wait for an answer that nobody gives, as on a real host; the
    ///   reference's `ptp` takes 1.7 seconds then.
    init(detectsDuplicates: Bool = true) throws {
        directory = try FileSystem.makeTemporaryDirectory(prefix: "/tmp/dt-cni-")
        let suffix = directory.suffix(6)
        host = "dt-cni-\(suffix)-h"
        pod = "dt-cni-\(suffix)-p"
        for name in [host, pod] {
            let namespace = try NetworkNamespace.create(name: name)
            if detectsDuplicates { continue }
            try namespace.run { try Sysctl.set("net/ipv6/conf/default/dad_transmits", "0") }
        }
    }

    deinit {
        try? NetworkNamespace.delete(name: host)
        try? NetworkNamespace.delete(name: pod)
        try? FileSystem.removeTree(directory)
    }

    var podPath: String { NetworkNamespace.path(name: pod) }

    /// Runs a command with the host's network.
    func run(_ command: [String], environment: [String: String]? = nil, input: String = "") throws
        -> ChildProcess.Output
    {
        var specification = ChildProcess.Specification(
            executable: command[0], arguments: Array(command.dropFirst()), environment: environment)
        specification.networkNamespace = NetworkNamespace.path(name: host)
        return try ChildProcess.output(of: specification, input: Array(input.utf8))
    }

    /// Runs a command with the pod's network and returns its output as JSON.
    func json(in namespace: String, _ arguments: String...) throws -> [JSONValue] {
        let output = try ChildProcess.output(
            of: .init(executable: "/usr/sbin/ip", arguments: ["-n", namespace, "-j"] + arguments))
        return try JSONValue(text: output.text.isEmpty ? "[]" : output.text).array ?? []
    }

    /// Calls a plugin as a runtime does; the printed JSON, null when it prints nothing.
    @discardableResult
    func call(
        _ implementation: Implementation, _ command: String, _ configuration: JSONValue,
        container: String = "c1", interface: String = "eth0", netns: String? = nil, arguments: String = ""
    ) throws -> (isSuccess: Bool, printed: JSONValue) {
        let plugins = try implementation.directory()
        let environment = [
            "CNI_COMMAND": command, "CNI_CONTAINERID": container, "CNI_IFNAME": interface,
            "CNI_NETNS": netns ?? podPath, "CNI_ARGS": arguments, "CNI_PATH": plugins,
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        ]
        let type = try #require(configuration["type"]?.string)
        let output = try run(["\(plugins)/\(type)"], environment: environment, input: configuration.text())
        let printed = output.text.isEmpty ? .null : try JSONValue(text: output.text)
        return (output.status.isSuccess, printed)
    }

    /// The names of the addresses allocated in a network.
    func allocated(_ network: String) -> [String] {
        let names = (try? FileSystem.list("\(directory)/\(network)")) ?? []
        return names.filter { IPAddress($0) != nil }
    }
}

extension TestNode {
    /// A configuration of a plugin with host-local behind it, dual-stack.
    func configuration(
        _ type: String, network: String = "net", version: String = "1.0.0",
        subnets: [String] = ["10.9.0.0/24", "fd00:9::/64"], _ extra: JSONObject = [:]
    ) -> JSONValue {
        let ranges = subnets.map { JSONValue.array([.object(["subnet": .string($0)])]) }
        let routes = subnets.map { subnet -> JSONValue in
            .object(["dst": .string(subnet.contains(":") ? "::/0" : "0.0.0.0/0")])
        }
        var value: JSONValue = .object([
            "cniVersion": .string(version), "name": .string(network), "type": .string(type),
            "ipam": .object([
                "type": "host-local", "dataDir": .string(directory), "ranges": .array(ranges),
                "routes": .array(routes),
            ]),
        ])
        for (key, member) in extra { value[key] = member }
        return value
    }
}
