/// The node ports of a cluster: numbers shared by `nodePort` and `healthCheckNodePort` of all Services (KEP-3668).
package struct NodePortAllocator: Sendable, Equatable {
    /// The range.
    package let range: ClosedRange<Int>
    private let numbers: BandedNumbers
    private var used: Set<Int> = []

    /// Starts with all ports free.
    package init(range: ClosedRange<Int>) {
        self.range = range
        numbers = BandedNumbers(
            count: UInt128(range.count), staticCount: UInt128(Self.staticCount(size: range.count)))
    }

    /// How many of the first ports are left to those who ask for them.
    package static func staticCount(size: Int) -> Int {
        size <= 16 ? 0 : min(max(16, size / 32), 128)
    }

    /// The ports in use.
    package var held: Set<Int> { used }

    /// Takes a certain port.
    package mutating func take(_ port: Int) throws(AllocationError) {
        try check(port)
        guard used.insert(port).inserted else { throw .taken("port") }
    }

    /// Whether a port is one of the range at all.
    package func check(_ port: Int) throws(AllocationError) {
        guard range.contains(port) else {
            throw AllocationError(
                description: "provided port is not in the valid range. The range of valid ports is "
                    + "\(range.lowerBound)-\(range.upperBound)")
        }
    }

    /// Takes any port.
    package mutating func takeAny(using generator: inout some RandomNumberGenerator) throws(AllocationError) -> Int {
        let lowest = range.lowerBound
        guard let number = numbers.choose(using: &generator, isTaken: { used.contains(lowest + Int($0)) }) else {
            throw .full
        }
        used.insert(lowest + Int(number))
        return lowest + Int(number)
    }

    /// Gives a port back.
    package mutating func release(_ port: Int) { used.remove(port) }
}
