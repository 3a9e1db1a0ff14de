/// A hash table in small parts: a change to a table whose copy is read elsewhere copies two short lists of references and
/// one leaf of a few elements, however many elements there are.
struct PersistentTable<Element: TableElement>: Sendable {
    private var pages: [[[Element]]]
    /// The number of elements.
    private(set) var count = 0

    private static var pageBits: UInt64 { 8 }
    private static var leafBits: UInt64 { 6 }

    /// Makes an empty table.
    init() {
        let page = [[Element]](repeating: [], count: 1 << Int(Self.leafBits))
        pages = Array(repeating: page, count: 1 << Int(Self.pageBits))
    }

    @inline(__always)
    private static func place(_ hash: UInt64) -> (page: Int, leaf: Int) {
        let top = hash >> (64 - pageBits - leafBits)
        return (Int(top >> leafBits), Int(top & (1 << leafBits - 1)))
    }

    /// The element of the given hash that satisfies the condition.
    @inline(__always)
    func first(_ hash: UInt64, where condition: (Element) -> Bool) -> Element? {
        let (page, leaf) = Self.place(hash)
        let elements = pages[page][leaf]
        for index in elements.indices where elements[index].hash == hash {
            if condition(elements[index]) { return elements[index] }
        }
        return nil
    }

    /// Calls `body` with every element of the given hash.
    @inline(__always)
    func forEach(_ hash: UInt64, _ body: (Element) -> Void) {
        let (page, leaf) = Self.place(hash)
        let elements = pages[page][leaf]
        for index in elements.indices where elements[index].hash == hash { body(elements[index]) }
    }

    /// Puts an element in the place of the one that satisfies the condition; nil removes that one.
    mutating func set(_ element: Element?, hash: UInt64, where condition: (Element) -> Bool) {
        let (page, leaf) = Self.place(hash)
        let index = pages[page][leaf].firstIndex { $0.hash == hash && condition($0) }
        switch (element, index) {
        case (let element?, let index?): pages[page][leaf][index] = element
        case (let element?, nil):
            // A leaf that grows by doubling would stand half empty.
            pages[page][leaf].reserveCapacity(pages[page][leaf].count + 1)
            pages[page][leaf].append(element)
            count += 1
        case (nil, let index?):
            pages[page][leaf].remove(at: index)
            count -= 1
        case (nil, nil): break
        }
    }
}

/// What stands in a persistent table.
protocol TableElement: Sendable {
    /// The hash of the key.
    var hash: UInt64 { get }
}
