import KubernetesClient
import NIOCore
import Testing

@Suite struct TransportFailureTests {
    @Test func `A refused connection is told in the kernel's words, others in their own`() {
        let refusal = IOError(errnoCode: 111, reason: "connect(descriptor:addr:size:)")
        #expect(TransportFailure.text(of: refusal) == "Connection refused (ECONNREFUSED)")
        #expect(TransportFailure.text(of: ChannelError.eof) == "\(ChannelError.eof)")
    }
}
