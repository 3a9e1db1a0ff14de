package import KubernetesAPI
import Linux

/// The last words of a container.
package enum TerminationMessage {
    /// What an ended instance wrote to its termination file, or, when it failed and its policy says so, the end of its
    /// log; at most 4096 bytes.
    package static func read(
        _ container: Container, attempt: Int, failed: Bool, directories: PodDirectories
    ) -> String {
        let path = directories.terminationLog(container: container.name, attempt: attempt)
        if let bytes = try? FileSystem.readFile(path), !bytes.isEmpty {
            return String(decoding: bytes.prefix(4096), as: UTF8.self)
        }
        guard failed, container.terminationMessagePolicy == "FallbackToLogsOnError",
            let bytes = try? FileSystem.readFile(directories.log(container: container.name, attempt: attempt))
        else { return "" }
        let lines = bytes.split(separator: UInt8(ascii: "\n")).suffix(80).compactMap { ContainerLogLine($0) }
        return String(
            decoding: lines.flatMap { Array($0.content) + ($0.isPartial ? [] : [10]) }.suffix(2048), as: UTF8.self)
    }
}
