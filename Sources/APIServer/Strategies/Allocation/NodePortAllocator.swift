/// The node ports of a cluster: numbers shared by `nodePort` and `healthCheckNodePort` of all Services (KEP-3668).
package struct NodePortAllocator: Sendable, Equatable {
    /// The range.
    package let range: ClosedRange<Int>
    private var numbers: SparseAllocator

    /// Starts with all ports free.
    package init(range: ClosedRange<Int>) {
        self.range = range
        numbers = SparseAllocator(
            count: UInt128(range.count), staticCount: UInt128(Self.staticCount(size: range.count)))
    }

    /// How many of the first ports are left to those who ask for them.
    package static func staticCount(size: Int) -> Int {
        size <= 16 ? 0 : min(max(16, size / 32), 128)
    }

    /// Takes a certain port.
    package mutating func take(_ port: Int) throws(AllocationError) {
        guard range.contains(port) else {
            throw AllocationError(
                description: "provided port is not in the valid range. The range of valid ports is "
                    + "\(range.lowerBound)-\(range.upperBound)")
        }
        guard numbers.take(UInt128(port - range.lowerBound)) else {
            throw AllocationError(description: "provided port is already allocated")
        }
    }

    /// Takes any port.
    package mutating func takeAny(using generator: inout some RandomNumberGenerator) throws(AllocationError) -> Int {
        guard let number = numbers.takeAny(using: &generator) else { throw .full }
        return range.lowerBound + Int(number)
    }

    /// Gives a port back.
    package mutating func release(_ port: Int) {
        if range.contains(port) { numbers.release(UInt128(port - range.lowerBound)) }
    }
}
