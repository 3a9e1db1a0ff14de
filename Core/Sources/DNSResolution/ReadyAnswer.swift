import DNSMessage
import Wire

/// The answer section of an answer that has been made once, to be copied into the next ones to the same question.
///
/// Pointers in it lead to the question, which has the same size each time, or into the section itself.
final class ReadyAnswer {
    private let bytes: [UInt8]
    /// Where the lifetimes stand in `bytes`, and what they were.
    private let lifetimes: [(offset: Int, ttl: UInt32)]
    /// The number of records.
    let count: UInt16
    /// When it was made, and until when it holds, in milliseconds.
    private let made: Int64
    private let expires: Int64
    /// The answer with the IPv4 addresses that it was made of.
    let origin: CachedAnswer

    /// The size of the largest that is kept, in bytes, and the memory for it, about.
    private static let maximum = 512
    static let cost = 768

    /// Takes the records behind `start` in a message.
    init?(_ message: MessageBuffer, from start: Int, count: UInt16, made: Int64, expires: Int64, origin: CachedAnswer) {
        let bytes = Array(message.bytes[start...])
        guard bytes.count <= ReadyAnswer.maximum else { return nil }
        var lifetimes: [(offset: Int, ttl: UInt32)] = []
        var position = 0
        for _ in 0..<count {
            while position < bytes.count, bytes[position] != 0, bytes[position] < 0xC0 {
                position += Int(bytes[position]) + 1
            }
            guard position < bytes.count else { return nil }
            position += bytes[position] == 0 ? 1 : 2
            guard position + 10 <= bytes.count else { return nil }
            lifetimes.append((position + 4, bytes.raw.load(UInt32.self, at: position + 4)))
            position += 10 + Int(bytes.raw.load(UInt16.self, at: position + 8))
        }
        guard position == bytes.count else { return nil }
        self.bytes = bytes
        self.lifetimes = lifetimes
        self.count = count
        self.made = made
        self.expires = expires
        self.origin = origin
    }

    /// Appends the records with what is left of their lifetimes; false if there is no room, or they hold no longer.
    @inline(__always)
    func append(to message: MessageBuffer, now: Int64) -> Bool {
        guard now <= expires, message.hasRoom(for: bytes.count) else { return false }
        let start = message.count
        let age = UInt32(truncatingIfNeeded: (now - made) / 1000)
        message.append(bytes, 0..<bytes.count)
        for index in lifetimes.indices {
            let lifetime = lifetimes[index]
            message.overwrite(lifetime.ttl > age ? lifetime.ttl - age : 0, at: start + lifetime.offset)
        }
        return true
    }
}
