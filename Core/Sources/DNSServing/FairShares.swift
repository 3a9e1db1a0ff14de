import Addresses

/// How many datagrams of a batch each client has answered while more arrive than can be answered.
///
/// The queue of a socket is first in, first out: who floods it leaves nothing to others unless his datagrams are taken
/// out faster than he sends them, and what takes time is the answer.
struct FairShares {
    private var clients: [IPAddress] = []
    private var counts: [Int] = []

    /// The datagrams of one client that are answered in each batch.
    static let share = 8

    init() {
        clients.reserveCapacity(DatagramBatch.size)
        counts.reserveCapacity(DatagramBatch.size)
    }

    /// Begins a batch.
    mutating func begin() {
        clients.removeAll(keepingCapacity: true)
        counts.removeAll(keepingCapacity: true)
    }

    /// Whether the client's next datagram is within its share.
    mutating func admits(_ client: IPAddress) -> Bool {
        for index in clients.indices where clients[index] == client {
            counts[index] += 1
            return counts[index] <= FairShares.share
        }
        clients.append(client)
        counts.append(1)
        return true
    }
}
