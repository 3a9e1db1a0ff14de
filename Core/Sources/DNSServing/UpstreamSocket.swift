import DNSResolution
import Linux

/// A UDP socket to another server, from a port that the kernel has drawn at random.
///
/// To make a socket costs more than to ask a question, so a run of questions shares one. A forger has to guess port, number
/// and spelling of each of them all the same; what he learns of a port he must use within a second.
final class UpstreamSocket {
    let id: UInt32
    let upstream: Upstream
    let descriptor: FileDescriptor
    /// Messages that have not been sent yet.
    var pending: [(exchange: UInt32, message: [UInt8])] = []
    private let opened: Int64
    /// The numbers of all messages that it has carried, and their exchanges; nil for those that are over.
    private var numbers: [UInt16] = []
    private var exchanges: [UInt32?] = []
    private var openCount = 0
    /// Whether nothing new is asked by it.
    var isRetired = false

    /// The questions that share a port at most, and for how long it is used for new ones, in milliseconds.
    static let maximumQuestions = 64
    private static let lifetime: Int64 = 1000

    init(_ upstream: Upstream, id: UInt32, now: Int64) throws(SystemError) {
        self.id = id
        self.upstream = upstream
        opened = now
        descriptor = try Sockets.connect(upstream.address, port: upstream.port, isStream: false)
        numbers.reserveCapacity(Self.maximumQuestions)
        exchanges.reserveCapacity(Self.maximumQuestions)
    }

    /// Whether it may carry a message with this number.
    func takes(_ number: UInt16, now: Int64) -> Bool {
        numbers.count < Self.maximumQuestions && now - opened < Self.lifetime && !numbers.contains(number)
    }

    /// Lets an exchange's message be sent with the next ones.
    func add(_ exchange: UInt32, _ message: [UInt8], number: UInt16) {
        pending.append((exchange, message))
        numbers.append(number)
        exchanges.append(exchange)
        openCount += 1
    }

    /// The exchange of a number, or nil for one that is over; `isKnown` says whether it has been sent from here.
    func exchange(of number: UInt16, isKnown: inout Bool) -> UInt32? {
        guard let index = numbers.firstIndex(of: number) else {
            isKnown = false
            return nil
        }
        isKnown = true
        return exchanges[index]
    }

    /// The exchanges that wait for an answer.
    var open: [UInt32] { exchanges.compactMap(\.self) }

    /// Notes that an exchange is over.
    func end(_ exchange: UInt32) {
        guard let index = exchanges.firstIndex(of: exchange) else { return }
        exchanges[index] = nil
        openCount -= 1
        pending.removeAll { $0.exchange == exchange }
    }

    /// Whether it is of no use any more.
    var isDone: Bool { isRetired && openCount == 0 }
}
