/// An entry of a table, which is chained to the next one of its hash bucket, or of the free entries.
protocol Chained: BitwiseCopyable {
    /// The number of the next entry; 0 for none.
    var chain: UInt32 { get set }
}

/// Entries that are named by numbers from 1 on, and keep their number; 0 names none.
struct Slab<Element: Chained>: ~Copyable {
    private var memory: ZeroedMemory<Element>
    private var freed: UInt32 = 0
    /// The entries that have been used at some time.
    private(set) var used: UInt32 = 0
    /// The entries that are in use.
    private(set) var count = 0

    init(capacity: Int) { memory = ZeroedMemory(count: capacity + 1) }

    /// Whether the memory for the entries could be had.
    var hasMemory: Bool { memory.count > 0 }

    subscript(_ number: UInt32) -> Element {
        unsafeAddress { unsafe UnsafePointer(memory.address(Int(number))) }
        unsafeMutableAddress { unsafe memory.address(Int(number)) }
    }

    /// Whether there is no room for another entry.
    var isFull: Bool { freed == 0 && Int(used) + 1 >= memory.count }

    /// Puts an entry in and returns its number; the slab must not be full.
    mutating func insert(_ element: Element) -> UInt32 {
        precondition(!isFull, "a full table takes no entry")
        count += 1
        let number: UInt32
        if freed != 0 {
            number = freed
            freed = memory[Int(number)].chain
        } else {
            used += 1
            number = used
        }
        memory[Int(number)] = element
        return number
    }

    /// Frees an entry.
    mutating func remove(_ number: UInt32) {
        count -= 1
        memory[Int(number)].chain = freed
        freed = number
    }
}

/// The heads of hash chains over a slab.
struct Buckets: ~Copyable {
    private var heads: ZeroedMemory<UInt32>
    private let mask: UInt64

    init(capacity: Int) {
        var size = 16
        while size < capacity { size *= 2 }
        heads = ZeroedMemory(count: size)
        mask = UInt64(size - 1)
    }

    /// Whether the memory for the heads could be had; without it there is no entry to find.
    var hasMemory: Bool { heads.count > 0 }

    /// The first entry of the chain for a hash.
    subscript(_ hash: UInt64) -> UInt32 {
        get { heads[Int(hash & mask)] }
        set { heads[Int(hash & mask)] = newValue }
    }

    /// Puts an entry at the head of its chain.
    mutating func link<Element>(_ number: UInt32, _ hash: UInt64, in slab: inout Slab<Element>) {
        slab[number].chain = self[hash]
        self[hash] = number
    }

    /// Takes an entry out of its chain.
    mutating func unlink<Element>(_ number: UInt32, _ hash: UInt64, in slab: inout Slab<Element>) {
        let next = slab[number].chain
        guard self[hash] != number else { return self[hash] = next }
        var previous = self[hash]
        while slab[previous].chain != number { previous = slab[previous].chain }
        slab[previous].chain = next
    }
}

/// A hash whose collisions cannot be foreseen without its key.
struct KeyedHash: Sendable {
    private let first: UInt64
    private let second: UInt64

    init(key: UInt64) {
        first = KeyedHash.mix(key ^ 0x9E37_79B9_7F4A_7C15, 0xBF58_476D_1CE4_E5B9)
        second = KeyedHash.mix(key ^ 0x94D0_49BB_1331_11EB, first | 1)
    }

    func callAsFunction(_ address: UInt128, _ rest: UInt64) -> UInt64 {
        let high = UInt64(truncatingIfNeeded: address >> 64)
        let low = UInt64(truncatingIfNeeded: address)
        return KeyedHash.mix(KeyedHash.mix(high ^ first, low ^ second) ^ rest, second | 1)
    }

    func callAsFunction(_ number: UInt32, _ rest: UInt64) -> UInt64 {
        KeyedHash.mix(UInt64(number) ^ first, rest ^ second)
    }

    private static func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }
}
