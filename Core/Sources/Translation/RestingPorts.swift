/// Public ports that clients have given back, in the order in which they may be given to others.
///
/// All rest equally long, so that those that came first end first.
struct RestingPorts: ~Copyable {
    /// A port by its place in the table of ports.
    struct Entry: BitwiseCopyable {
        let client: UInt128
        let until: UInt32
        /// Nil once the client has its port again.
        var place: UInt32?
    }

    private var ring: ZeroedMemory<Entry>
    private let capacity: Int
    private var oldest = 0
    private var count = 0

    init(capacity: Int) {
        self.capacity = max(capacity, 0)
        ring = ZeroedMemory(count: self.capacity)
    }

    /// Whether the memory for them could be had.
    var hasMemory: Bool { ring.count == capacity }

    /// Whether one has to end before the next is added.
    var isFull: Bool { count == capacity }

    /// Lets a port rest, and returns the number by which it is known; there must be room.
    mutating func add(_ entry: Entry) -> UInt32 {
        precondition(!isFull, "no more ports may rest")
        let number = (oldest + count) % capacity
        ring[number] = entry
        count += 1
        return UInt32(number)
    }

    /// Who had the port of a number.
    func client(_ number: UInt32) -> UInt128 { ring[Int(number)].client }

    /// Forgets a port that its client has again.
    mutating func forget(_ number: UInt32) { ring[Int(number)].place = nil }

    /// Ends the rest of the oldest; nil where there is none, or it rests beyond a second.
    mutating func next(at now: UInt32) -> Entry? {
        guard count > 0, ring[oldest].until <= now else { return nil }
        let entry = ring[oldest]
        oldest = (oldest + 1) % capacity
        count -= 1
        return entry
    }
}
