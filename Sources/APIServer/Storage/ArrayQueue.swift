/// Elements in the order in which they came; adding, dropping the oldest and access by position take O(1) on average.
struct ArrayQueue<Element: Sendable>: Sendable {
    /// Dropped elements are let go at once, their places in bulk.
    private var places: [Element?] = []
    private var start = 0

    /// The number of elements.
    var count: Int { places.count - start }

    /// The oldest element.
    var first: Element? { count > 0 ? self[0] : nil }

    /// The element that `position` older ones stand before.
    subscript(position: Int) -> Element {
        guard let element = places[start + position] else { preconditionFailure("no element \(position)") }
        return element
    }

    mutating func append(_ element: Element) {
        places.append(element)
    }

    /// Drops the oldest elements.
    mutating func removeFirst(_ count: Int = 1) {
        for position in start..<start + count {
            places[position] = nil
        }
        start += count
        if start > 256, start * 2 > places.count {
            places.removeFirst(start)
            start = 0
        }
    }
}
