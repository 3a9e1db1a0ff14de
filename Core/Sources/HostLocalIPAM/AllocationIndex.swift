import Addresses
import Linux

/// Which addresses a container has, in a file beside the allocations: a hash table that is read and written in place.
///
/// The files of the allocations stay the truth; the index spares reading all of them to find one container's. It counts
/// only as long as the directory is as its last writer left it: that one set the directory's modification time to a
/// value in the past and noted it here, so that whatever another program or a killed plugin does in the directory sets a
/// later one. It does not survive a reboot, after which the disk may have one and not the other.
final class AllocationIndex {
    private let file: FileDescriptor
    private let capacity: Int
    private var used: Int

    private static let magic: UInt64 = 0x3178_6469_7465_7564
    private static let slotSize = 32
    private static let headerSize = 64

    /// The state of a slot, with the family of its address.
    private enum Slot {
        static let empty: UInt64 = 0
        static let removed: UInt64 = 1

        static func taken(_ family: IPFamily) -> UInt64 { UInt64(family.rawValue) }
    }

    private init(_ file: consuming FileDescriptor, capacity: Int, used: Int) {
        self.file = file
        self.capacity = capacity
        self.used = used
    }

    /// Opens the index of a directory that was last modified at `modified`; nil when there is none or it does not count.
    static func open(_ path: String, modified: Int64) -> AllocationIndex? {
        guard let file = try? FileDescriptor.open(path, [.readWrite]), let size = try? file.status().size,
            let header = try? file.read(upTo: headerSize, at: 0), header.count == headerSize,
            header.number(at: 0) == magic, header.number(at: 8) == UInt64(bitPattern: modified),
            Array(header[32..<48]) == bootIdentifier
        else { return nil }
        let capacity = Int(truncatingIfNeeded: header.number(at: 16))
        let used = Int(truncatingIfNeeded: header.number(at: 24))
        guard capacity > 0, capacity & (capacity - 1) == 0, (0...capacity).contains(used),
            Int64(capacity).multipliedReportingOverflow(by: Int64(slotSize)).partialValue == size - Int64(headerSize)
        else { return nil }
        return AllocationIndex(file, capacity: capacity, used: used)
    }

    /// Makes an index of allocations; it counts only after `seal`.
    static func create(_ path: String, _ reservations: [AllocationStore.Reservation]) throws(SystemError)
        -> AllocationIndex
    {
        var capacity = 256
        while capacity < reservations.count * 2 { capacity *= 2 }
        var slots = [UInt8](repeating: 0, count: capacity * slotSize)
        for reservation in reservations {
            let key = hash(reservation.containerID)
            var index = Int(truncatingIfNeeded: key) & (capacity - 1)
            while slots[index * slotSize + 8] != 0 { index = (index + 1) & (capacity - 1) }
            slots.replaceSubrange(
                index * slotSize..<(index + 1) * slotSize, with: slot(key, reservation.address))
        }
        let file = try FileDescriptor.open(path, [.readWrite, .create, .truncate], mode: 0o644)
        try file.write([UInt8](repeating: 0, count: headerSize) + slots)
        return AllocationIndex(file, capacity: capacity, used: reservations.count)
    }

    /// The addresses noted for a container; another one with the same hash may be among their owners.
    func addresses(of containerID: String) throws(SystemError) -> [IPAddress] {
        let key = Self.hash(containerID)
        var addresses: [IPAddress] = []
        _ = try find(key) { slot in
            if let address = Self.address(slot) { addresses.append(address) }
            return false
        }
        return addresses
    }

    /// Notes an address; false when the table is too full to take it.
    func insert(_ address: IPAddress, of containerID: String) throws(SystemError) -> Bool {
        guard (used + 1) * 4 <= capacity * 3 else { return false }
        let key = Self.hash(containerID)
        let end = try find(key) { _ in false }
        try file.write(Self.slot(key, address), at: Self.headerSize + end * Self.slotSize)
        used += 1
        return true
    }

    /// Removes a note.
    func remove(_ address: IPAddress, of containerID: String) throws(SystemError) {
        let key = Self.hash(containerID)
        var isFound = false
        let index = try find(key) { slot in
            isFound = Self.address(slot) == address
            return isFound
        }
        guard isFound else { return }
        try file.write(Slot.removed.bytes, at: Self.headerSize + index * Self.slotSize + 8)
    }

    /// Lets the index count for the directory as it is once its modification time is `modified`.
    func seal(modified: Int64) throws(SystemError) {
        let header =
            Self.magic.bytes + UInt64(bitPattern: modified).bytes + UInt64(capacity).bytes + UInt64(used).bytes
            + Self.bootIdentifier
        try file.write(header + [UInt8](repeating: 0, count: Self.headerSize - header.count), at: 0)
    }

    /// Walks the slots of a key until `isWanted`, or to the first empty one; returns where it ended.
    private func find(_ key: UInt64, _ isWanted: ([UInt8]) -> Bool) throws(SystemError) -> Int {
        var index = Int(truncatingIfNeeded: key) & (capacity - 1)
        for _ in 0..<capacity {
            let slot = try file.read(upTo: Self.slotSize, at: Self.headerSize + index * Self.slotSize)
            guard slot.count == Self.slotSize, slot.number(at: 8) != Slot.empty else { break }
            if slot.number(at: 0) == key, isWanted(slot) { break }
            index = (index + 1) & (capacity - 1)
        }
        return index
    }

    private static func slot(_ key: UInt64, _ address: IPAddress) -> [UInt8] {
        let bits = address.bits
        return key.bytes + Slot.taken(address.family).bytes + UInt64(truncatingIfNeeded: bits).bytes
            + UInt64(truncatingIfNeeded: bits >> 64).bytes
    }

    private static func address(_ slot: [UInt8]) -> IPAddress? {
        guard let family = IPFamily.allCases.first(where: { Slot.taken($0) == slot.number(at: 8) }) else { return nil }
        return IPAddress(family: family, bits: UInt128(slot.number(at: 24)) << 64 | UInt128(slot.number(at: 16)))
    }

    /// FNV-1a, 64 bits.
    private static func hash(_ text: String) -> UInt64 {
        text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    /// 16 bytes that every boot of the machine draws anew.
    private static let bootIdentifier: [UInt8] = {
        let digits = ((try? FileSystem.readText("/proc/sys/kernel/random/boot_id")) ?? "").filter(\.isHexDigit)
        let halves = [digits.prefix(16), digits.dropFirst(16)].compactMap { UInt64($0, radix: 16) }
        return halves.flatMap(\.bytes)
    }()
}

extension UInt64 {
    fileprivate var bytes: [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: self >> ($0 * 8)) } }
}

extension [UInt8] {
    /// Eight bytes as a number, lowest first.
    fileprivate func number(at offset: Int) -> UInt64 {
        (0..<8).reduce(0) { $0 | UInt64(self[offset + $1]) << ($1 * 8) }
    }
}
