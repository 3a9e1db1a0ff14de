import Addresses
import Glibc
import Linux

/// What must hold before anything is touched.
enum Preflight {
    /// Programs that a cluster runs, and the Debian packages they come in.
    private static let programs = [("containerd", "containerd"), ("ctr", "containerd"), ("runc", "runc")]

    /// Fails unless the process may do what a cluster takes.
    static func checkRoot() throws(LocalClusterError) {
        guard geteuid() == 0 else {
            throw LocalClusterError(
                "root is needed: a cluster takes network namespaces, mounts and routes",
                remedy: "Run the command with sudo.")
        }
    }

    /// Fails when a program is missing.
    static func checkPrograms() throws(LocalClusterError) {
        let directories = (Environment.path).split(separator: ":")
        for (program, package) in programs
        where !directories.contains(where: { FileSystem.exists("\($0)/\(program)") }) {
            throw LocalClusterError(
                "\(program) is not on the PATH", remedy: "Install it: apt-get install \(package)")
        }
    }

    /// Fails when the kernel lacks a family of the cluster.
    static func checkKernel(_ families: [IPFamily]) throws(LocalClusterError) {
        guard !families.contains(.ipv6) || FileSystem.exists("/proc/sys/net/ipv6") else {
            throw LocalClusterError(
                "this machine's kernel runs without IPv6",
                remedy: "Start it without ipv6.disable=1, or give --families ipv4.")
        }
    }

    /// Whether the process may lower OOM scores; containerd must leave them alone otherwise.
    static var hasResourceCapability: Bool {
        let capabilityOfResources = 24
        guard let status = try? FileSystem.readText("/proc/self/status"),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("CapEff:") }),
            let set = UInt64(line.dropFirst("CapEff:".count).drop(while: \.isWhitespace), radix: 16)
        else { return false }
        return set & (1 << capabilityOfResources) != 0
    }
}

/// The process's environment.
enum Environment {
    /// Directories that programs are looked up in.
    static var path: String {
        getenv("PATH").map { String(cString: $0) } ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    }
}
