import Linux
import NIOCore
import NIOPosix
import NIOSSL

/// Why there was no answer, as whoever reads a log understands it.
package enum TransportFailure {
    /// The words for a transport's error.
    package static func text(of error: any Error) -> String {
        switch (error as? NIOConnectionError)?.connectionErrors.first?.error ?? error {
        case let error as IOError:
            "\(Errno(rawValue: error.errnoCode))"
        case NIOSSLError.handshakeFailed(let reason) where "\(reason)".contains("CERTIFICATE_VERIFY_FAILED"):
            "the server's certificate is not from the authority that the kubeconfig names, has ended, or is another name's"
        case let error:
            "\(error)"
        }
    }
}
