import Addresses
import Foundation
import TestSupport
import Testing

@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/python3")))
struct `Python agrees` {
    /// Prints for each line the canonical text (or `-`), the reverse name, and the address masked to 20 bits.
    private static let script = """
        import ipaddress, sys
        for line in sys.stdin:
            try:
                a = ipaddress.ip_address(line.strip())
                n = ipaddress.ip_network((a, 20), strict=False)
                text = '::ffff:' + str(a.ipv4_mapped) if a.version == 6 and a.ipv4_mapped else str(a)
                print(text, a.reverse_pointer, n[-1] if not (a.version == 6 and a.ipv4_mapped) else '*')
            except ValueError:
                print('-')
        """

    @Test(arguments: UInt64(11)...12)
    func `on text, reverse names and masks`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let texts = (0..<3000).map { _ in mutated(spelling(of: .random(using: &generator), &generator), &generator) }
        let answers = try PythonOracleTests.run(Self.script, input: texts.joined(separator: "\n"))
        #expect(answers.count == texts.count)
        for (text, answer) in zip(texts, answers) {
            guard let address = IPAddress(text) else {
                #expect(answer == "-", "seed \(seed): \(text) was refused")
                continue
            }
            let last = IPPrefix(address, length: 20).last
            let isMapped = if case .v6(let v6) = address { v6.mapped != nil } else { false }
            #expect(
                "\(address) \(address.reverseName) \(isMapped ? "*" : "\(last)")" == answer, "seed \(seed): \(text)")
        }
    }

    /// One of the spellings of an address: canonical, full, or upper case.
    private func spelling(of address: IPAddress, _ generator: inout SeededGenerator) -> String {
        guard address.family == .ipv6 else { return address.description }
        let groups = (0..<8).map {
            String(UInt16(truncatingIfNeeded: address.bits >> UInt128(16 * (7 - $0))), radix: 16)
        }
        switch Int.random(in: 0..<3, using: &generator) {
        case 0: return address.description
        case 1: return groups.joined(separator: ":")
        default: return groups.joined(separator: ":").uppercased()
        }
    }

    /// The text itself, or with one byte changed, inserted or removed.
    private func mutated(_ text: String, _ generator: inout SeededGenerator) -> String {
        var bytes = Array(text.utf8)
        let alphabet = Array("0123456789abcfg:.".utf8)
        let position = Int.random(in: 0..<bytes.count, using: &generator)
        guard let byte = alphabet.randomElement(using: &generator) else { return text }
        switch Int.random(in: 0..<8, using: &generator) {
        case 0: bytes[position] = byte
        case 1: bytes.insert(byte, at: position)
        case 2: bytes.remove(at: position)
        default: break
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

enum PythonOracleTests {
    /// Runs a Python script on lines of input, and returns its lines of output.
    static func run(_ script: String, input: String) throws -> [String] {
        let directory = FileManager.default.temporaryDirectory
        let file = directory.appendingPathComponent("addresses-\(UUID().uuidString)")
        try Data(input.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = ["-c", script]
        process.standardInput = try FileHandle(forReadingFrom: file)
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
