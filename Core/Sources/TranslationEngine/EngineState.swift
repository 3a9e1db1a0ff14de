import Linux
import Synchronization
import Translation

/// A translator that several threads may use, one at a time.
///
/// The kernel brings a flow's packets to one queue most of the time, so that the lock is free nearly always; that a packet
/// finds its translator does not hang on it.
final class Shard<Translator: PacketTranslator & ~Copyable>: Sendable {
    let state: Mutex<Translator>

    init(_ translator: consuming sending Translator) { state = Mutex(translator) }
}

/// What the threads of an engine share.
final class EngineState<Translator: PacketTranslator & ~Copyable>: Sendable {
    let shards: [Shard<Translator>]
    let trace = PacketTrace()
    let stop: FileDescriptor.Pipe
    let isStopped = Atomic<Bool>(false)
    /// Whether any packet may wait for another one.
    let isHolding = Atomic<Bool>(false)
    /// The packets that the device did not take.
    let writeFailures = Atomic<UInt64>(0)
    private let partition: PoolPartition?
    private let directory: Mutex<FragmentDirectory>

    init(_ shards: [Shard<Translator>], _ partition: PoolPartition?) throws(SystemError) {
        self.shards = shards
        self.partition = partition
        stop = try FileDescriptor.pipe()
        directory = Mutex(
            partition?.directory() ?? FragmentDirectory(maximumHeldFragments: 0, seconds: 0, secret: 0))
    }

    /// Why a packet has no translator at the moment.
    enum Unowned: Error {
        case waits
        case refused(DropReason)
    }

    /// The translator of a packet.
    func owner(
        of packet: Range<Int>, _ bytes: UnsafeMutableRawBufferPointer, worker: Int, at now: Timestamp
    ) -> Result<Int, Unowned> {
        guard let partition, partition.shards > 1 else { return .success(worker % shards.count) }
        let span = unsafe MutableRawSpan(_unsafeBytes: bytes)
        switch partition.owner(of: packet, in: span) {
        case .shard(let shard):
            guard FragmentDirectory.isFirstFragment(packet, in: span) else { return .success(shard) }
            directory.withLock { directory in
                directory.note(packet, in: unsafe MutableRawSpan(_unsafeBytes: bytes), shard: shard, at: now)
                if directory.isHolding { isHolding.store(true, ordering: .relaxed) }
            }
            return .success(shard)
        case .laterFragment:
            return directory.withLock { directory in
                do throws(DropReason) {
                    let span = unsafe MutableRawSpan(_unsafeBytes: bytes)
                    if let shard = try directory.shard(of: packet, in: span, at: now) { return .success(shard) }
                    return .failure(.waits)
                } catch {
                    return .failure(.refused(error))
                }
            }
        }
    }

    /// Takes the next fragment that has found its translator, or waited too long.
    func release(_ bytes: UnsafeMutableRawBufferPointer, at now: Timestamp) -> FragmentDirectory.Release? {
        directory.withLock { directory in
            var span = unsafe MutableRawSpan(_unsafeBytes: bytes)
            return directory.release(into: &span, at: now)
        }
    }

    var directoryIsHolding: Bool { directory.withLock { $0.isHolding } }

    /// What became of fragments before they had a translator.
    var directoryCounters: TranslationCounters { directory.withLock { $0.counters } }
}
