/// Memory for one message, made once and written again and again; every access is checked against its size.
@safe
public final class MessageBuffer {
    private let own: UnsafeMutableRawBufferPointer
    // Properties of an object are guarded against accesses that overlap, and to check that would take longer than to write
    // most of what is written.
    private let state: UnsafeMutablePointer<State>
    /// Whose memory is written to in place of its own.
    private var lender: MessageBuffer?

    @unsafe private struct State {
        var memory: UnsafeMutableRawBufferPointer
        var count = 0
        var limit: Int
    }

    /// Makes a buffer for messages of at most `capacity` bytes.
    public init(capacity: Int) {
        unsafe own = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 16)
        unsafe state = UnsafeMutablePointer.allocate(capacity: 1)
        unsafe state.initialize(to: State(memory: own, limit: capacity))
    }

    deinit {
        unsafe own.deallocate()
        unsafe state.deallocate()
    }

    /// Writes into another buffer's memory from now on, until it borrows again.
    public func borrow(_ other: MessageBuffer) {
        lender = other
        unsafe state.pointee.memory = other.own
        count = 0
    }

    private var memory: UnsafeMutableRawBufferPointer { unsafe state.pointee.memory }

    /// The number of bytes written.
    public private(set) var count: Int {
        get { unsafe state.pointee.count }
        set { unsafe state.pointee.count = newValue }
    }

    /// The number of bytes that the present message may have.
    public private(set) var limit: Int {
        get { unsafe state.pointee.limit }
        set { unsafe state.pointee.limit = newValue }
    }

    /// The whole memory, for system calls.
    @unsafe public var storage: UnsafeMutableRawBufferPointer { unsafe memory }

    /// The bytes written, copied.
    public var bytes: [UInt8] { unsafe Array(memory[..<count]) }

    /// Takes a whole message.
    ///
    /// - Precondition: it has room.
    public func replace(with message: [UInt8]) {
        reset(limit: message.count)
        append(message.raw)
    }

    /// Starts a message of at most `limit` bytes.
    func reset(limit: Int) {
        count = 0
        self.limit = min(limit, unsafe memory.count)
    }

    /// Whether so many bytes more have room.
    func hasRoom(for size: Int) -> Bool { count + size <= limit }

    /// Allows so many bytes more than before, as far as there is memory.
    func extendLimit(by size: Int) { limit = min(limit + size, unsafe memory.count) }

    /// Forgets everything from `count` on.
    func truncate(to count: Int) {
        precondition(count <= self.count, "a message is cut behind its end")
        self.count = count
    }

    /// Appends an integer in network order.
    @inline(__always)
    func append<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value) {
        let end = count + MemoryLayout<Value>.size
        precondition(end <= limit, "a message outgrows its limit")
        unsafe memory.storeBytes(of: value.bigEndian, toByteOffset: count, as: Value.self)
        count = end
    }

    /// Appends bytes as they are.
    @inline(__always)
    func append(_ bytes: RawSpan) {
        precondition(count + bytes.byteCount <= limit, "a message outgrows its limit")
        unsafe bytes.withUnsafeBytes { source in
            guard let from = source.baseAddress, let base = unsafe memory.baseAddress else { return }
            unsafe (base + count).copyMemory(from: from, byteCount: source.count)
        }
        count += bytes.byteCount
    }

    /// Appends a part of an array.
    @inline(__always)
    func append(_ bytes: [UInt8], _ range: Range<Int>) { append(bytes.raw.extracting(range)) }

    /// The 16-bit number that has been written at an offset.
    func size(at offset: Int) -> Int {
        precondition(offset >= 0 && offset + 2 <= count, "a message is read outside")
        return unsafe Int(UInt16(bigEndian: memory.loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
    }

    /// Overwrites an integer that has been written, in network order.
    @inline(__always)
    func overwrite<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value, at offset: Int) {
        precondition(offset >= 0 && offset + MemoryLayout<Value>.size <= count, "a message is changed outside")
        unsafe memory.storeBytes(of: value.bigEndian, toByteOffset: offset, as: Value.self)
    }
}
