import Foundation

/// dig, the independent client.
public enum Dig {
    /// Whether it is there.
    public static let isInstalled = FileManager.default.isExecutableFile(atPath: "/usr/bin/dig")

    /// What dig prints when it asks the server at an address, without the blanks around it.
    public static func ask(_ address: String, port: UInt16, _ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/dig")
        process.arguments = ["@\(address)", "-p", "\(port)", "+tries=3", "+time=10"] + arguments
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
