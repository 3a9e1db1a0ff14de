import HummingbirdCore
import NIOCore

/// The body of a request that is answered while it comes in; the connection reads on only while the reader keeps up.
struct RequestFeed {
    private typealias Producer = NIOThrowingAsyncSequenceProducer<
        ByteBuffer, any Error, NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark, Delegate
    >

    /// Parts that wait for the reader before the connection stops to read, and down to which it must come.
    private static let (high, low) = (8, 2)

    private let source: Producer.Source
    /// The body for the reader.
    let body: RequestBody

    /// - Parameter resume: Called on any thread when the reader has caught up, or has gone.
    init(_ resume: @escaping @Sendable () -> Void) {
        let new = Producer.makeSequence(
            backPressureStrategy: .init(lowWatermark: Self.low, highWatermark: Self.high), finishOnDeinit: true,
            delegate: Delegate(resume: resume))
        source = new.source
        body = RequestBody(asyncSequence: new.sequence)
    }

    /// Passes a part on; false when the connection shall read no more for now.
    func yield(_ bytes: ByteBuffer) -> Bool {
        switch source.yield(bytes) {
        case .produceMore, .dropped: true
        case .stopProducing: false
        }
    }

    /// Ends the body.
    func finish() {
        source.finish()
    }

    /// Ends the body with an error.
    func fail(_ error: any Error) {
        source.finish(error)
    }

    private struct Delegate: NIOAsyncSequenceProducerDelegate {
        let resume: @Sendable () -> Void

        func produceMore() { resume() }
        func didTerminate() { resume() }
    }
}
