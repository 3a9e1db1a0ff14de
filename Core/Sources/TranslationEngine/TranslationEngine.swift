public import Linux
import Synchronization
import TUN
public import Translation

/// Translators on a TUN device: a thread for each queue, and translators that any thread may use.
///
/// A packet belongs to a translator by its client or its public port (`PoolPartition`), whatever queue it comes from: the
/// kernel keeps a flow on one queue, and spreads the flows of one client over all of them.
public final class TranslationEngine<Translator: PacketTranslator & ~Copyable>: Sendable {
    private let state: EngineState<Translator>
    private let workers: [QueueWorker<Translator>]
    private let work: Work
    private let device: String
    private let running = Atomic<Int>(0)

    /// What a thread does: it runs its worker.
    ///
    /// The call is written where the kind of translator is known. From code for any translator it would ask for types at run
    /// time, several times a packet.
    private typealias Work = @Sendable (QueueWorker<Translator>) throws(SystemError) -> Void

    private init(
        _ device: String, queues: Int, _ shards: [Shard<Translator>], _ partition: PoolPartition?,
        isPersistent: Bool = false, work: @escaping Work
    ) throws(SystemError) {
        self.device = device
        self.work = work
        let state = try EngineState(shards, partition)
        var workers: [QueueWorker<Translator>] = []
        for number in 0..<queues {
            let queue = try TUNQueue.open(device)
            if isPersistent { try queue.setPersistent(true) }
            workers.append(QueueWorker(number, queue, state))
        }
        (self.state, self.workers) = (state, workers)
    }

    /// Starts the threads; once.
    ///
    /// - Parameter ended: called when a thread ends before the engine is stopped, on that thread.
    public func start(ended: @escaping @Sendable (SystemError) -> Void) throws(SystemError) {
        for (number, worker) in workers.enumerated() {
            running.add(1, ordering: .sequentiallyConsistent)
            do throws(SystemError) {
                try OSThread.detach(name: "\(device)/\(number)") { [self] in
                    do throws(SystemError) {
                        try work(worker)
                    } catch {
                        ended(error)
                    }
                    running.subtract(1, ordering: .sequentiallyConsistent)
                }
            } catch {
                running.subtract(1, ordering: .sequentiallyConsistent)
                throw error
            }
        }
    }

    /// Lets the threads end.
    ///
    /// They have when `isRunning` is false; the device goes away with the engine.
    public func stop() {
        state.isStopped.store(true, ordering: .sequentiallyConsistent)
        // Nothing reads the pipe, so that one byte wakes every thread; it has room for that.
        try? state.stop.writing.write([0])
    }

    /// Whether any thread has not ended.
    public var isRunning: Bool { running.load(ordering: .sequentiallyConsistent) > 0 }

    // MARK: What an operator sees

    /// What has become of the packets, those of all translators together.
    public var counters: TranslationCounters {
        state.shards.reduce(into: state.directoryCounters) { sum, shard in
            sum.add(shard.state.withLock { $0.counters })
        }
    }

    /// The packets that the device did not take.
    public var writeFailures: UInt64 { state.writeFailures.load(ordering: .relaxed) }

    /// Lets `body` look at each translator, one after the other; packets of that translator wait meanwhile.
    public func forEachTranslator(_ body: (borrowing Translator) -> Void) {
        for shard in state.shards { shard.state.withLock { body($0) } }
    }

    /// Begins to keep what becomes of packets; false if someone looks already.
    public func beginTrace() -> Bool { state.trace.begin() }

    /// Takes what has become of packets since the call before, and the number of those that could not be kept.
    public func takeTrace() -> (records: [TraceRecord], lost: Int) { state.trace.take() }

    /// Whether someone looks at what becomes of packets.
    public var isTracing: Bool { state.trace.isOn }

    /// Ends keeping.
    public func endTrace() { state.trace.end() }
}

extension TranslationEngine where Translator == NAT64 {
    /// Makes a device, and the translators of a configuration on it, one for each queue.
    public convenience init(
        device: String, queues: Int, _ configuration: NAT64Configuration
    ) throws(SystemError) {
        let partition = PoolPartition(configuration, shards: queues)
        let shards = (0..<queues).map { Shard(partition.translator($0)) }
        try self.init(device, queues: queues, shards, partition) { worker throws(SystemError) in try worker.run() }
    }
}

extension TranslationEngine where Translator == StatelessTranslator {
    /// Makes a device, and a translator without sessions for each of its queues.
    ///
    /// - Parameter isPersistent: whether the device stays when the engine ends; one that an earlier engine has left is used.
    public convenience init(
        device: String, queues: Int, mapper: AddressMapper, options: TranslationOptions, isPersistent: Bool = false
    ) throws(SystemError) {
        let shards = (0..<queues).map { number in
            Shard(
                StatelessTranslator(
                    mapper: mapper, options: options, identification: UInt16(truncatingIfNeeded: number << 12)))
        }
        try self.init(device, queues: queues, shards, nil, isPersistent: isPersistent) { worker throws(SystemError) in
            try worker.run()
        }
    }

    /// Changes which address stands for which, for every translator; packets after the call follow it.
    public func changeMapper(_ change: (inout AddressMapper) -> Void) {
        for shard in state.shards { shard.state.withLock { change(&$0.mapper) } }
    }
}
