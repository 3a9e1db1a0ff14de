import Addresses
import CNI
import Linux

/// The zone of firewalld that a pod's addresses are in.
struct Firewalld {
    private static let command = "/usr/bin/firewall-cmd"
    private let zone: String

    /// Names the zone.
    init(zone: String) { self.zone = zone }

    /// Whether the daemon runs.
    static func isRunning() -> Bool {
        guard let text = try? FileSystem.readText("/run/firewalld.pid"),
            let pid = Int32(text.split(whereSeparator: \.isWhitespace).first ?? "")
        else { return false }
        return FileSystem.exists("/proc/\(pid)") && FileSystem.exists(command)
    }

    /// Puts addresses into the zone; one that is there already is no error, and one that an earlier pod left in another zone
    /// leaves that.
    func add(_ addresses: [IPPrefix]) throws {
        for address in addresses {
            let output = try run("--change-source=\(address)")
            guard output.status.isSuccess else {
                throw CNIError("failed to add the address \(address) to \(zone) zone: \(output.errorText)")
            }
        }
    }

    /// Takes addresses out of the zone; what firewalld does not know, or no firewalld, is no error.
    func remove(_ addresses: [IPPrefix]) throws {
        guard Self.isRunning() else { return }
        for address in addresses { _ = try run("--remove-source=\(address)") }
    }

    /// Verifies that addresses are in the zone.
    func check(_ addresses: [IPPrefix]) throws {
        for address in addresses where try !run("--query-source=\(address)").status.isSuccess {
            throw CNIError("failed to find the address \(address) in \(zone) zone")
        }
    }

    private func run(_ argument: String) throws -> ChildProcess.Output {
        guard Self.isRunning() else { throw CNIError("firewalld is not running") }
        return try ChildProcess.output(
            of: ChildProcess.Specification(
                executable: Self.command, arguments: ["--zone=\(zone)", argument],
                environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]))
    }
}
