import Wire

/// Packets that wait for another one, each under a key; bounded, so that a flood takes no more than its share of memory.
struct HeldPackets<Key: BitwiseCopyable & Hashable>: ~Copyable {
    /// What a packet waits for.
    enum Need: BitwiseCopyable {
        /// Another packet.
        case another
        /// What is to be written into it.
        case completion
        /// Nothing any more.
        case nothing
    }

    private struct Place: BitwiseCopyable {
        let key: Key
        let length: Int
        let expires: UInt64
        var isUsed: Bool
        var need: Need
    }

    /// The bytes of a packet that may be kept.
    private let longest: Int
    private let lifetime: UInt64
    /// The packets that there is room for.
    let capacity: Int
    private var places: ZeroedMemory<Place>
    private var bytes: ZeroedMemory<UInt8>
    private(set) var waiting = 0

    /// Makes room for so many packets of so many bytes, for so many milliseconds each.
    init(capacity: Int, longest: Int, lifetime: UInt64) {
        self.longest = longest
        self.lifetime = lifetime
        places = ZeroedMemory(count: capacity)
        bytes = ZeroedMemory(count: capacity * longest)
        self.capacity = bytes.count > 0 ? places.count : 0
    }

    /// Keeps a packet; false if there is no room for it.
    mutating func hold(
        _ buffer: borrowing MutableRawSpan, _ packet: Range<Int>, _ key: Key, need: Need = .another, at now: Timestamp
    ) -> Bool {
        guard packet.count <= longest, waiting < capacity else { return false }
        var place = 0
        while places[place].isUsed { place += 1 }
        places[place] = Place(
            key: key, length: packet.count, expires: now.milliseconds + lifetime, isUsed: true, need: need)
        let first = place * longest
        for index in 0..<packet.count { bytes[first + index] = buffer.load(UInt8.self, at: packet.lowerBound + index) }
        waiting += 1
        return true
    }

    /// The packet that waits under a key.
    func place(_ key: Key) -> Int? {
        guard waiting > 0 else { return nil }
        for place in 0..<capacity where places[place].isUsed && places[place].key == key { return place }
        return nil
    }

    /// The key of the packet at a place; nil if there is none.
    func key(at place: Int) -> Key? { places[place].isUsed ? places[place].key : nil }

    /// Whether the packet at a place has waited for its time.
    func isExpired(_ place: Int, at now: Timestamp) -> Bool { places[place].expires <= now.milliseconds }

    /// Looks at the packet at a place.
    func withPacket<Value>(at place: Int, _ body: (RawSpan) -> Value) -> Value {
        let count = places[place].length
        guard count > 0 else { return body(RawSpan()) }
        return unsafe body(RawSpan(_unsafeStart: UnsafeRawPointer(bytes.address(place * longest)), byteCount: count))
    }

    /// Writes a word of the packet at a place, and lets it wait no longer.
    mutating func complete(_ place: Int, with word: UInt16, at offset: Int) {
        precondition(offset + 2 <= places[place].length, "a word outside the packet")
        let first = place * longest + offset
        (bytes[first], bytes[first + 1]) = (UInt8(word >> 8), UInt8(truncatingIfNeeded: word))
        places[place].need = .nothing
    }

    /// What the packet at a place waits for.
    func need(_ place: Int) -> Need { places[place].need }

    /// Forgets the packet at a place.
    mutating func forget(_ place: Int) {
        places[place].isUsed = false
        waiting -= 1
    }

    /// Takes the packet at a place, and copies it into the buffer.
    @_lifetime(buffer: copy buffer)
    mutating func take(_ place: Int, into buffer: inout MutableRawSpan) -> Range<Int> {
        let start = TranslationOptions.headroom
        let (first, length) = (place * longest, places[place].length)
        for index in 0..<length { buffer.store(bytes[first + index], at: start + index) }
        forget(place)
        return start..<(start + length)
    }
}
