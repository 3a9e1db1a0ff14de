import DNSMessage
import Wire

/// The answers of other servers, bounded in number and memory; those not used lately go first.
///
/// It belongs to one thread.
public final class AnswerCache {
    private var slots: [CachedAnswer?]
    private let mask: Int
    /// The number of answers.
    public private(set) var count = 0
    /// The memory that they take, about, in bytes.
    public private(set) var byteCount = 0
    private let capacity: Int
    private let maximumBytes: Int
    private var hand = 0

    /// Makes an empty cache.
    public init(capacity: Int = 16384, maximumBytes: Int = 16 << 20) {
        var size = 16
        while size < capacity * 2 { size *= 2 }
        slots = Array(repeating: nil, count: size)
        mask = size - 1
        self.capacity = capacity
        self.maximumBytes = maximumBytes
    }

    /// The answer to a question, whatever its age.
    @inline(__always)
    func find(_ name: borrowing FoldedName, _ type: DNSRecordType, _ options: UInt8) -> CachedAnswer? {
        let hash = FactKey.hash(name.hash, type, options)
        var index = place(hash)
        while let answer = slots[index] {
            if answer.hash == hash, answer.key.type == type, answer.key.options == options {
                let known = answer.key.name
                if known.raw.isEqual(to: name.span) { return answer }
            }
            index = (index + 1) & mask
        }
        return nil
    }

    /// The answer to a question, whatever its age.
    public func find(_ key: FactKey) -> CachedAnswer? { slots[index(of: key)] }

    /// Keeps an answer in the place of an older one to the same question.
    public func store(_ answer: CachedAnswer) {
        let index = index(of: answer.key)
        if let old = slots[index] {
            byteCount -= old.cost
        } else {
            count += 1
        }
        slots[index] = answer
        byteCount += answer.cost
        while count > capacity || byteCount > maximumBytes, count > 1 { evict(sparing: answer) }
    }

    @inline(__always)
    private func place(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash >> 24) & mask }

    private func index(of key: FactKey) -> Int {
        let hash = key.hash
        var index = place(hash)
        while let answer = slots[index], answer.hash != hash || answer.key != key { index = (index + 1) & mask }
        return index
    }

    /// Removes the next answer that has not been used since the hand came by last.
    private func evict(sparing spared: CachedAnswer) {
        while true {
            hand = (hand + 1) & mask
            guard let answer = slots[hand], answer !== spared else { continue }
            if answer.hits > 0 {
                answer.hits = 0
                continue
            }
            remove(at: hand)
            return
        }
    }

    /// Removes a slot, and moves those that stand behind it because it was taken.
    private func remove(at start: Int) {
        if let answer = slots[start] {
            count -= 1
            byteCount -= answer.cost
        }
        slots[start] = nil
        var hole = start
        var index = (start + 1) & mask
        while let answer = slots[index] {
            let distance = (index - place(answer.hash)) & mask
            if distance >= (index - hole) & mask {
                slots[hole] = answer
                slots[index] = nil
                hole = index
            }
            index = (index + 1) & mask
        }
    }
}
