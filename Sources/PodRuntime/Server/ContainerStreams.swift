/// The streams of a command or container that a client wants.
package struct ContainerStreams: Sendable, Hashable {
    /// Input.
    package var stdin: Bool
    /// Output.
    package var stdout: Bool
    /// Error output; never together with a terminal, which has one output.
    package var stderr: Bool
    /// A terminal.
    package var tty: Bool

    /// Reads a request's query, in which `input`, `output`, `error` and `tty` are `1`.
    ///
    /// - Returns: nil when no stream is wanted.
    package init?(query: (String) -> String?) {
        stdin = query("input") == "1"
        stdout = query("output") == "1"
        tty = query("tty") == "1"
        stderr = query("error") == "1" && !tty
        guard stdin || stdout || stderr else { return nil }
    }
}
