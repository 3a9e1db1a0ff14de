import Glibc
package import KubernetesAPI
import Linux

/// What the machine is, as far as the API wants to know.
package struct NodeFacts: Sendable, Hashable {
    /// Number of processors.
    package var processors: Int
    /// Bytes of memory.
    package var memory: Int64
    /// Bytes of the file system that pods write to.
    package var storage: Int64
    /// Versions and identities.
    package var system: NodeSystemInfo

    /// Creates facts.
    package init(processors: Int, memory: Int64, storage: Int64, system: NodeSystemInfo) {
        self.processors = processors
        self.memory = memory
        self.storage = storage
        self.system = system
    }

    /// Version that the node reports: that of the Kubernetes API it follows.
    package static let version = "v1.33.0+duet"

    /// Reads the facts of this machine.
    package static func read(rootDirectory: String) -> NodeFacts {
        var system = NodeSystemInfo(
            machineID: line("/etc/machine-id"), systemUUID: line("/sys/class/dmi/id/product_uuid"),
            bootID: line("/proc/sys/kernel/random/boot_id"), kernelVersion: line("/proc/sys/kernel/osrelease"))
        let release = (try? FileSystem.readText("/etc/os-release")) ?? ""
        system.osImage = value("PRETTY_NAME=", in: release).filter { $0 != "\"" }
        system.kubeletVersion = version
        system.kubeProxyVersion = version
        system.operatingSystem = "linux"
        system.architecture = architecture
        system.containerRuntimeVersion = ""
        let memory = (try? FileSystem.readText("/proc/meminfo")) ?? ""
        let kibibytes = Int64(value("MemTotal:", in: memory).split(separator: " ").first ?? "") ?? 0
        return NodeFacts(
            processors: max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))), memory: kibibytes * 1024,
            storage: storage(rootDirectory), system: system)
    }

    /// Resources of the machine in the API's form.
    package func resources(maximumPods: Int) -> [String: Quantity] {
        [
            "cpu": Quantity(processors), "memory": Quantity(Int(memory)), "ephemeral-storage": Quantity(Int(storage)),
            "pods": Quantity(maximumPods),
        ]
    }

    private static var architecture: String {
        #if arch(x86_64)
        "amd64"
        #elseif arch(arm64)
        "arm64"
        #else
        line("/proc/sys/kernel/arch")
        #endif
    }

    private static func line(_ path: String) -> String {
        let text = (try? FileSystem.readText(path)) ?? ""
        return text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
    }

    private static func value(_ key: String, in text: String) -> String {
        let line = text.split(whereSeparator: \.isNewline).first { $0.hasPrefix(key) }
        return line.map { String($0.dropFirst(key.count)) } ?? ""
    }

    private static func storage(_ path: String) -> Int64 {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return 0 }
        return Int64(status.f_blocks) * Int64(status.f_frsize)
    }
}
