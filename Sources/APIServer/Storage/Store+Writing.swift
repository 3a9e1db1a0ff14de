import Dispatch
import KubernetesAPI
import Logging
import Synchronization

/// Writes that have not been admitted yet.
struct WaitingWrites: Sendable {
    /// What became of a request for a write.
    enum Outcome {
        /// It is admitted; to be called once it is in the log, or with why it is not.
        case admitted((StatusError?) -> Void)
        /// It is refused; to be called once what it did is undone.
        case refused(() -> Void)
    }

    /// A request for a write.
    struct Job: Sendable {
        let isDryRun: Bool
        let run: @Sendable (inout WriteTransaction) -> Outcome
    }

    var jobs: [Job] = []
    /// True while the writer is at work and will look here again.
    var isAttended = false
}

extension Store {
    /// Puts a request at the end of the line.
    func add(_ job: WaitingWrites.Job) {
        let wakesWriter = waiting.withLock { waiting in
            waiting.jobs.append(job)
            defer { waiting.isAttended = true }
            return !waiting.isAttended
        }
        if wakesWriter {
            writer.async { self.drain() }
        }
    }

    private func drain() {
        while true {
            let jobs = waiting.withLock { waiting in
                defer { waiting.jobs = [] }
                waiting.isAttended = !waiting.jobs.isEmpty
                return waiting.jobs
            }
            if jobs.isEmpty { return }
            commit(jobs)
        }
    }

    private func commit(_ jobs: [WaitingWrites.Job]) {
        let (trees, revision) = published.withLock { ($0.trees, $0.revision) }
        var transaction = WriteTransaction(
            definitions: definitions, selections: selections, trees: trees, revision: revision)
        var acknowledgements: [(StatusError?) -> Void] = []
        for job in jobs {
            let savepoint = transaction.savepoint
            switch job.run(&transaction) {
            case .admitted(let acknowledge):
                if job.isDryRun { transaction.rollBack(to: savepoint) }
                acknowledgements.append(acknowledge)
            case .refused(let tell):
                transaction.rollBack(to: savepoint)
                tell()
            }
        }
        let failure = transaction.events.isEmpty ? nil : store(transaction)
        for reservation in failure == nil ? transaction.reservations : transaction.reservations.reversed() {
            if failure == nil {
                reservation.commit()
            } else {
                reservation.rollback()
            }
        }
        for acknowledge in acknowledgements {
            acknowledge(failure)
        }
    }

    /// Brings a transaction to the disk and makes it visible; returns why it cannot be stored.
    private func store(_ transaction: WriteTransaction) -> StatusError? {
        do {
            try compaction.withLock { compaction in
                let slice = compaction.slice()
                try log.append(transaction.events.map(record), dropping: slice)
                if let slice {
                    compaction.remove(slice)
                }
                transaction.events.forEach { compaction.add($0) }
            }
            for watcher in published.withLock({ $0.publish(transaction) }).watchers {
                watcher.wake()
            }
            return nil
        } catch {
            logger.error("cannot write the database", metadata: ["path": "\(log.path)", "error": "\(error)"])
            return .internalError("the change could not be stored in \(log.path): \(error)")
        }
    }

    private func record(_ event: StoredEvent) -> LogRecord {
        LogRecord(
            revision: event.object.revision, written: event.object.written,
            resource: definitions[event.resource].storageName, key: event.object.key, kind: event.kind,
            text: event.object.text)
    }

    /// Closes the database once the writes that wait are done; nothing can be written afterwards.
    package func close() async throws {
        try await withCheckedThrowingContinuation { continuation in
            writer.async { continuation.resume(with: Result { try self.log.close() }) }
        }
    }
}
