import Glibc
import Linux
import Synchronization
import TUN
import Translation

/// The loop of one thread: reads packets from its queue, lets their translator work on them, and writes what comes out.
final class QueueWorker<Translator: PacketTranslator & ~Copyable>: Sendable {
    private let number: Int
    private let queue: TUNQueue
    private let shared: EngineState<Translator>

    init(_ number: Int, _ queue: consuming TUNQueue, _ shared: EngineState<Translator>) {
        self.number = number
        self.queue = queue
        self.shared = shared
    }

    /// The packets that are read before time is looked after.
    private static var batch: Int { 256 }

    /// The packets that time makes of a translator before those that come have their turn.
    private static var pendingAtOnce: Int { 16 }

    /// Works until the engine is stopped.
    func run() throws(SystemError) {
        let buffer = PacketBuffer()
        let scratch = PacketBuffer()
        var datagrams = DatagramRun()
        var poller = try Poller()
        try poller.add(queue.descriptor, .read, token: 0)
        try poller.add(shared.stop.reading, .read, token: 1)
        var ready: [UInt64] = []
        var header = OffloadHeader()
        var second: UInt64 = 0
        var isBehind = false
        while !shared.isStopped.load(ordering: .relaxed) {
            var now = Timestamp.coarseNow
            var count = 0
            var hasYielded = false
            while count < Self.batch {
                guard let length = try unsafe queue.read(&header, into: buffer.room) else {
                    // Whoever sends small datagrams may be about to send another: a longer run is less work for everybody.
                    guard datagrams.count > 0, !hasYielded else { break }
                    hasYielded = true
                    sched_yield()
                    continue
                }
                hasYielded = false
                count += 1
                let first = TranslationOptions.headroom
                handle(buffer, first..<(first + length), header, &datagrams, at: now)
                if isHolding, drain(scratch, at: now) { isBehind = true }
            }
            send(&datagrams)
            if count < Self.batch { poller.wait(milliseconds: isBehind ? 0 : 500, into: &ready) }
            now = .coarseNow
            if isBehind || now.milliseconds / 1000 != second {
                second = now.milliseconds / 1000
                isBehind = drain(scratch, at: now)
            }
        }
    }

    private var isHolding: Bool { shared.isHolding.load(ordering: .relaxed) }

    // MARK: Packets

    private func handle(
        _ buffer: borrowing PacketBuffer, _ packet: Range<Int>, _ header: OffloadHeader,
        _ datagrams: inout DatagramRun, at now: Timestamp
    ) {
        let arrival = Arrival(header, packet, buffer)
        let summary = shared.trace.isOn ? buffer.summary(packet) : nil
        var outcome = withOwner(buffer, packet, at: now) { translator, span in
            translator.translate(&span, packet: packet, offload: arrival.offload, at: now)
        }
        if case .handOver(let range) = outcome {
            outcome = withOwner(buffer, range, at: now) { translator, span in
                translator.accept(&span, packet: range, offload: arrival.offload, at: now)
            }
        }
        if case .forward(let range, let family) = outcome, queue.segmentsDatagrams, summary == nil,
            join(buffer, range, arrival.header(for: range, of: family, buffer), &datagrams)
        {
            return
        }
        send(buffer, outcome, arrival, summary, at: now)
    }

    /// Puts a datagram behind those of its flow that came right before; false for what is no datagram.
    private func join(
        _ buffer: borrowing PacketBuffer, _ packet: Range<Int>, _ header: OffloadHeader, _ datagrams: inout DatagramRun
    ) -> Bool {
        let span = unsafe RawSpan(_unsafeBytes: buffer.part(packet))
        if datagrams.append(span, header) { return true }
        // It belongs to another flow, or ends this one's run, and begins its own.
        guard datagrams.count > 0 else { return false }
        send(&datagrams)
        return datagrams.append(span, header)
    }

    private func send(_ datagrams: inout DatagramRun) {
        unsafe datagrams.take { header, packet in
            do throws(SystemError) {
                unsafe try queue.write(header, packet)
            } catch {
                shared.writeFailures.add(1, ordering: .relaxed)
            }
        }
    }

    /// Lets the translator of a packet work on it.
    private func withOwner(
        _ buffer: borrowing PacketBuffer, _ packet: Range<Int>, at now: Timestamp,
        _ body: (inout Translator, inout MutableRawSpan) -> Outcome
    ) -> Outcome {
        switch unsafe shared.owner(of: packet, buffer.bytes, worker: number, at: now) {
        case .success(let shard): withTranslator(buffer, shard, body)
        case .failure(.waits): hold()
        case .failure(.refused(let reason)): .drop(reason)
        }
    }

    private func withTranslator(
        _ buffer: borrowing PacketBuffer, _ shard: Int,
        _ body: (inout Translator, inout MutableRawSpan) -> Outcome
    ) -> Outcome {
        let bytes = unsafe buffer.bytes
        let outcome = shared.shards[shard].state.withLock { translator in
            var span = unsafe MutableRawSpan(_unsafeBytes: bytes)
            return body(&translator, &span)
        }
        if case .held = outcome { return hold() }
        return outcome
    }

    private func hold() -> Outcome {
        shared.isHolding.store(true, ordering: .relaxed)
        return .held
    }

    /// Sends what time, or a first fragment, has set free; true if there is more, for which it is to be called again when the
    /// packets that wait in the queue have had their turn.
    private func drain(_ scratch: borrowing PacketBuffer, at now: Timestamp) -> Bool {
        let bytes = unsafe scratch.bytes
        while let release = unsafe shared.release(bytes, at: now) {
            guard case .ready(let packet, let shard) = release else { continue }
            let summary = shared.trace.isOn ? scratch.summary(packet) : nil
            let outcome = withTranslator(scratch, shard) { translator, span in
                translator.translate(&span, packet: packet, offload: .none, at: now)
            }
            send(scratch, outcome, .whole, summary, at: now)
        }
        var isHolding = shared.directoryIsHolding
        var isBehind = false
        for shard in shared.shards {
            var left = Self.pendingAtOnce
            while left > 0,
                let outcome = shard.state.withLock({ translator in
                    var span = unsafe MutableRawSpan(_unsafeBytes: bytes)
                    return translator.pending(&span, at: now)
                })
            {
                send(scratch, outcome, .whole, nil, at: now)
                left -= 1
            }
            if left == 0 || shard.state.withLock({ $0.isBehind(at: now) }) { isBehind = true }
            if shard.state.withLock({ $0.holdsPackets }) { isHolding = true }
        }
        shared.isHolding.store(isHolding, ordering: .relaxed)
        return isBehind
    }

    private func send(
        _ buffer: borrowing PacketBuffer, _ outcome: Outcome, _ arrival: Arrival, _ summary: PacketSummary?,
        at now: Timestamp
    ) {
        var sent: Range<Int>?
        let action: TraceRecord.Action
        switch outcome {
        case .forward(let range, let family):
            write(buffer, range, arrival.header(for: range, of: family, buffer))
            (sent, action) = (range, .forwarded)
        case .segments(let range, let family, let length):
            write(buffer, range, arrival.header(for: range, of: family, segmentLength: length, buffer))
            (sent, action) = (range, .forwarded)
        case .fragments(var fragmenter):
            let bytes = unsafe buffer.bytes
            var span = unsafe MutableRawSpan(_unsafeBytes: bytes)
            while let piece = fragmenter.next(in: &span) {
                sent = sent ?? piece
                write(buffer, piece, OffloadHeader())
            }
            action = .fragmented
        case .reply(let range, let reason):
            write(buffer, range, OffloadHeader())
            (sent, action) = (range, .answered(reason))
        case .held: action = .held
        case .handOver: action = .dropped(.unmappedDestination)
        case .drop(let reason): action = .dropped(reason)
        }
        guard let summary else { return }
        // The headers of the first of several fragments are gone by now, but for their addresses.
        shared.trace.add(
            TraceRecord(
                time: now, packet: summary, action: action, sent: sent.flatMap { buffer.summary($0) }))
    }

    private func write(_ buffer: borrowing PacketBuffer, _ range: Range<Int>, _ header: OffloadHeader) {
        do throws(SystemError) {
            unsafe try queue.write(header, buffer.part(range))
        } catch {
            shared.writeFailures.add(1, ordering: .relaxed)
        }
    }
}

extension PacketBuffer {
    /// What a trace says of a packet.
    borrowing func summary(_ range: Range<Int>) -> PacketSummary? {
        PacketSummary(unsafe RawSpan(_unsafeBytes: part(range)))
    }
}
