public import Addresses
public import CNI
public import Linux

/// The allocations of one network on disk, locked as long as the value lives.
///
/// One file for each address, named by it, holding `<container>\r\n<interface>`; beside them `last_reserved_ip.<set>`
/// for the round robin, and `lock`. The reference plugin reads and writes the same files. Two names that it does not
/// know begin with a dot: `.new`, what becomes the next allocation, and `.index`, by which a container's addresses are
/// found without reading all files where there are many.
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

    /// The number of allocations from which on an index is kept.
    public static let indexThreshold = 64

    private let directory: String
    private let lock: FileLock
    private var index: AllocationIndex?
    private var isIndexBehind = false

    /// Opens the network's directory, made where it is missing, and waits for its lock.
    public init(dataDirectory: String, network: String) throws(SystemError) {
        let directory = "\(dataDirectory)/\(network)"
        let lock = try Self.lock(directory)
        // What a killed plugin left: nobody else prepares an allocation while the lock is held.
        try? FileSystem.remove("\(directory)/.new")
        let modified = try FileSystem.status(directory).modified
        self.directory = directory
        self.lock = lock
        index = AllocationIndex.open("\(directory)/.index", modified: modified)
    }

    private static func lock(_ directory: String) throws(SystemError) -> FileLock {
        do throws(SystemError) {
            return try FileLock("\(directory)/lock", mode: 0o750)
        } catch  where error.errno == .noEntry {
            // A network's first attachment.
            try FileSystem.makeDirectory(directory)
            return try FileLock("\(directory)/lock", mode: 0o750)
        }
    }

    deinit {
        guard isIndexBehind, let index, let now = try? FileSystem.status("\(directory)/.index").modified else { return }
        // A second ago: whatever changes the directory from now on gives it a later time. A directory whose time cannot
        // be set has an index that does not count.
        let modified = now - 1_000_000_000
        do {
            try index.seal(modified: modified)
            try FileSystem.setModified(directory, modified)
        } catch {
            return
        }
    }

    /// All allocations, in no particular order; the cost is one read for each.
    public func reservations() throws(SystemError) -> [Reservation] {
        var reservations: [Reservation] = []
        for name in try FileSystem.list(directory) {
            guard let address = IPAddress(name), let reservation = try reservation(of: address) else { continue }
            reservations.append(reservation)
        }
        return reservations
    }

    /// The allocations of one attachment; the cost does not grow with the number of others where an index is kept.
    public mutating func reservations(
        of attachment: NetworkConfiguration.Attachment
    ) throws(SystemError) -> [Reservation] {
        if let index {
            var own: [Reservation] = []
            for address in try index.addresses(of: attachment.containerID) {
                guard let found = try reservation(of: address), found.belongs(to: attachment) else { continue }
                own.append(found)
            }
            return own
        }
        let all = try reservations()
        if all.count >= Self.indexThreshold {
            // Without one the next search takes as long as this one, which is no failure.
            index = try? AllocationIndex.create("\(directory)/.index", all)
            isIndexBehind = true
        }
        return all.filter { $0.belongs(to: attachment) }
    }

    /// Whether an address is allocated.
    public func isTaken(_ address: IPAddress) -> Bool { FileSystem.exists(path(address)) }

    /// The address that the set's round robin gave last; nil when there is none or the file is unreadable.
    public func lastReserved(set index: Int) -> IPAddress? {
        guard let text = try? FileSystem.readText(path(last: index)) else { return nil }
        return IPAddress(String(text.prefix { !$0.isWhitespace }))
    }

    /// Allocates an address; false when it is taken.
    ///
    /// An allocation appears with its content or not at all, even when the process is killed.
    public mutating func reserve(
        _ address: IPAddress, for attachment: NetworkConfiguration.Attachment, set index: Int
    ) throws(SystemError) -> Bool {
        // Asking first makes a search among many taken addresses cheap; the exclusive renaming decides.
        guard !isTaken(address) else { return false }
        let prepared = "\(directory)/.new"
        do throws(SystemError) {
            try FileSystem.writeFile(
                prepared, Array("\(attachment.containerID)\r\n\(attachment.interfaceName)".utf8))
            try FileSystem.renameExclusively(prepared, to: path(address))
        } catch {
            try? FileSystem.remove(prepared)
            guard error.errno == .exists else { throw SystemError(error.errno, "record allocation", path(address)) }
            return false
        }
        do throws(SystemError) {
            try FileSystem.updateFile(path(last: index), Array(address.description.utf8))
        } catch {
            try? FileSystem.remove(path(address))
            throw SystemError(error.errno, "record allocation", path(address))
        }
        note(address, of: attachment.containerID)
        return true
    }

    /// Frees an address that a container has; one that is free already is no error.
    public mutating func release(_ address: IPAddress, of containerID: String) throws(SystemError) {
        do throws(SystemError) {
            try FileSystem.remove(path(address))
        } catch {
            guard error.errno == .noEntry else { throw error }
        }
        isIndexBehind = true
        do throws(SystemError) {
            try index?.remove(address, of: containerID)
        } catch {
            index = nil
        }
    }

    /// Keeps the index; one that fails or is full no longer counts, and the next search makes another.
    private mutating func note(_ address: IPAddress, of containerID: String) {
        guard let index else { return }
        isIndexBehind = true
        if (try? index.insert(address, of: containerID)) != true { self.index = nil }
    }

    /// The allocation of an address; nil when it is free.
    private func reservation(of address: IPAddress) throws(SystemError) -> Reservation? {
        let text: String
        do throws(SystemError) {
            text = try FileSystem.readText(path(address))
        } catch {
            guard error.errno == .noEntry else { throw error }
            return nil
        }
        let lines = text.split(whereSeparator: \.isNewline)
        return Reservation(
            address: address, containerID: lines.first.map(String.init) ?? "",
            interfaceName: lines.count > 1 ? String(lines[1]) : nil)
    }

    private func path(_ address: IPAddress) -> String { "\(directory)/\(address)" }

    private func path(last index: Int) -> String { "\(directory)/last_reserved_ip.\(index)" }
}
