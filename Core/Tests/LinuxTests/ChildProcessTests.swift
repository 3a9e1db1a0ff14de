import Glibc
import Linux
import Testing

@Suite("Child processes")
struct ChildProcessTests {
    @Test("Input, both outputs, the environment and the exit code pass through")
    func output() throws {
        let specification = ChildProcess.Specification(
            executable: "/bin/sh", arguments: ["-c", "cat; echo $WORD >&2; exit 3"],
            environment: ["WORD": "from the environment"])
        let input = [UInt8](repeating: 0x61, count: 300_000)
        let output = try ChildProcess.output(of: specification, input: input)
        #expect(output.status == .exited(3))
        #expect(output.standardOutput == input)
        #expect(output.errorText == "from the environment\n")
    }

    @Test("A child that reads nothing does not hang or kill its parent")
    func unreadInput() throws {
        let specification = ChildProcess.Specification(executable: "true")
        let output = try ChildProcess.output(of: specification, input: [UInt8](repeating: 0, count: 1_000_000))
        #expect(output.status.isSuccess)
    }

    @Test("A missing executable is reported by name")
    func missing() {
        let error = #expect(throws: SystemError.self) { try ChildProcess.spawn(executable: "/nonexistent/tool") }
        #expect(error?.description == "start /nonexistent/tool: No such file or directory (ENOENT)")
    }

    @Test("A signal ends a child, and its start time tells it from later ones of the same id")
    func signal() throws {
        let child = try ChildProcess.spawn(executable: "sleep", arguments: ["100"], newSession: true)
        let information = try #require(ProcessInformation(pid: child.pid))
        // The kernel lets the parent go on a moment before the arguments stand in /proc.
        while information.commandLine.isEmpty { sched_yield() }
        #expect(information.commandLine == ["sleep", "100"])
        #expect(information.parent == ProcessInformation.currentPID)
        #expect(try child.poll() == nil)
        try child.signal(9)
        #expect(try child.wait() == .signalled(9))
        #expect(ProcessInformation(pid: child.pid) == nil)
    }
}
