/// Values by addresses as integers: a hash table in which a change costs the same however many there are, unless it has to grow,
/// and a lookup allocates nothing.
///
/// Zero, the unspecified address, is no key.
struct AddressTable<
    Key: FixedWidthInteger & UnsignedInteger & Sendable, Value: FixedWidthInteger & Sendable
>: Sendable {
    /// A power of two of them, of which at most half are taken; the key is zero where none is.
    private var slots: [(key: Key, value: Value)] = []
    /// How many keys there are.
    private(set) var count = 0

    private static var smallest: Int { 8 }

    var isEmpty: Bool { count == 0 }

    /// The value of a key; nil where it has none.
    subscript(key: Key) -> Value? {
        guard count > 0, key != 0 else { return nil }
        let slot = slots[place(of: key)]
        return slot.key == key ? slot.value : nil
    }

    /// Gives a key a value, in place of another one that it has.
    mutating func set(_ key: Key, _ value: Value) {
        precondition(key != 0, "the unspecified address is no key")
        if (count + 1) * 2 > slots.count { grow() }
        let place = place(of: key)
        if slots[place].key == 0 { count += 1 }
        slots[place] = (key, value)
    }

    /// Takes a key's value away.
    mutating func remove(_ key: Key) {
        guard self[key] != nil else { return }
        var hole = place(of: key)
        slots[hole].key = 0
        count -= 1
        // What has been put behind the hole because of what was in it moves up.
        var next = (hole + 1) & (slots.count - 1)
        while slots[next].key != 0 {
            let home = home(of: slots[next].key)
            if (next &- home) & (slots.count - 1) >= (next &- hole) & (slots.count - 1) {
                slots[hole] = slots[next]
                slots[next].key = 0
                hole = next
            }
            next = (next + 1) & (slots.count - 1)
        }
    }

    /// Where a key is, or would be.
    private func place(of key: Key) -> Int {
        var place = home(of: key)
        while slots[place].key != 0, slots[place].key != key { place = (place + 1) & (slots.count - 1) }
        return place
    }

    private func home(of key: Key) -> Int {
        // Fibonacci hashing, of both halves of a long key.
        let upper = UInt64(truncatingIfNeeded: key >> Key(min(64, Key.bitWidth - 1)))
        let mixed = (UInt64(truncatingIfNeeded: key) ^ upper &* 0xC2B2_AE3D_27D4_EB4F) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: mixed >> 32) & (slots.count - 1)
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: (0, 0), count: max(Self.smallest, old.count * 2))
        for slot in old where slot.key != 0 { slots[place(of: slot.key)] = slot }
    }
}
