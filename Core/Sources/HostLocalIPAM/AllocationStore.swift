public import Addresses
public import CNI
public import Linux

/// The allocations of one network on disk, locked as long as the value lives.
///
/// One file for each address, named by it, holding `<container>\r\n<interface>`; beside them `last_reserved_ip.<set>`
/// for the round robin, and `lock`. The reference plugin reads and writes the same files.
public struct AllocationStore: ~Copyable {
    /// An allocated address and whom it belongs to.
    public struct Reservation: Hashable, Sendable {
        /// The address.
        public let address: IPAddress
        /// The container; empty when a crash left the file unfinished.
        public let containerID: String
        /// The interface; nil in files of plugin versions that did not record it.
        public let interfaceName: String?

        /// Whether it belongs to an attachment.
        public func belongs(to attachment: NetworkConfiguration.Attachment) -> Bool {
            containerID == attachment.containerID
                && (interfaceName == nil || interfaceName == attachment.interfaceName)
        }
    }

    private let directory: String
    private let lock: FileLock

    /// Opens the network's directory, made where it is missing, and waits for its lock.
    public init(dataDirectory: String, network: String) throws(SystemError) {
        directory = "\(dataDirectory)/\(network)"
        try FileSystem.makeDirectory(directory)
        lock = try FileLock("\(directory)/lock", mode: 0o750)
    }

    /// All allocations, in no particular order; the cost is one read for each.
    public func reservations() throws(SystemError) -> [Reservation] {
        var reservations: [Reservation] = []
        for name in try FileSystem.list(directory) {
            guard let address = IPAddress(name) else { continue }
            let lines = try FileSystem.readText("\(directory)/\(name)").split(whereSeparator: \.isNewline)
            reservations.append(
                Reservation(
                    address: address, containerID: lines.first.map(String.init) ?? "",
                    interfaceName: lines.count > 1 ? String(lines[1]) : nil))
        }
        return reservations
    }

    /// The address that the set's round robin gave last; nil when there is none or the file is unreadable.
    public func lastReserved(set index: Int) -> IPAddress? {
        guard let text = try? FileSystem.readText(path(last: index)) else { return nil }
        return IPAddress(String(text.prefix { !$0.isWhitespace }))
    }

    /// Allocates an address; false when it is taken.
    ///
    /// Nothing stays behind when writing fails.
    public func reserve(
        _ address: IPAddress, for attachment: NetworkConfiguration.Attachment, set index: Int
    ) throws(SystemError) -> Bool {
        let path = path(address)
        do throws(SystemError) {
            let file = try FileDescriptor.open(path, [.readWrite, .create, .exclusive], mode: 0o644)
            do throws(SystemError) {
                try file.write(Array("\(attachment.containerID)\r\n\(attachment.interfaceName)".utf8))
                try FileSystem.writeFile(self.path(last: index), Array(address.description.utf8))
            } catch {
                try? FileSystem.remove(path)
                throw SystemError(error.errno, "record allocation", path)
            }
            return true
        } catch  where error.errno == .exists {
            return false
        }
    }

    /// Frees an address; one that is free already is no error.
    public func release(_ address: IPAddress) throws(SystemError) {
        do throws(SystemError) {
            try FileSystem.remove(path(address))
        } catch  where error.errno == .noEntry {
            return
        }
    }

    private func path(_ address: IPAddress) -> String { "\(directory)/\(address)" }

    private func path(last index: Int) -> String { "\(directory)/last_reserved_ip.\(index)" }
}
