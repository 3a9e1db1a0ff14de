/// Gives every backend a slot so that as few slots as possible differ from `previous`.
///
/// The result holds each desired backend once. A backend keeps its slot unless the slot no longer exists;
/// those that lost theirs, and the new ones in order, take the slots that became free.
/// - Complexity: O(n log n) in the number of desired backends.
package func assignSlots(previous: [Backend], desired: Set<Backend>) -> [Backend] {
    var homeless = desired
    var slots: [Backend?] = Array(repeating: nil, count: desired.count)
    for (index, backend) in previous.prefix(desired.count).enumerated() where homeless.remove(backend) != nil {
        slots[index] = backend
    }
    var waiting = homeless.sorted()[...]
    return slots.compactMap { $0 ?? waiting.popFirst() }
}
