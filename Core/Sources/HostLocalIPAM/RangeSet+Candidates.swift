public import Addresses

extension RangeSet {
    /// An address that may be allocated, with the range that it comes from.
    public typealias Candidate = (address: IPAddress, range: AddressRange)

    /// The first address after `previous` for which `isTaken` is false, going round once; gateways are passed over.
    ///
    /// Without a previous address, or with one outside the set, the search begins at the first range's start. The cost
    /// is one call of `isTaken` for each taken address on the way. `isTaken` may have an effect: it is called once for
    /// each candidate, and the search ends with the first false.
    public func next<Failure: Error>(
        after previous: IPAddress?, isTaken: (Candidate) throws(Failure) -> Bool
    ) throws(Failure) -> Candidate? {
        let origin = previous.flatMap { address in ranges.firstIndex { $0.contains(address) } }
        var index = origin ?? 0
        var address = ranges[index].first
        if let previous, origin != nil { (index, address) = successor(of: previous, in: index) }
        let start = address
        repeat {
            let candidate = (address, ranges[index])
            if address != ranges[index].gateway, !(try isTaken(candidate)) { return candidate }
            (index, address) = successor(of: address, in: index)
        } while address != start
        return nil
    }

    private func successor(of address: IPAddress, in index: Int) -> (Int, IPAddress) {
        if address < ranges[index].last, let next = address.advanced(by: 1) { return (index, next) }
        let following = (index + 1) % ranges.count
        return (following, ranges[following].first)
    }
}
