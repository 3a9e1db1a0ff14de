import Foundation
package import KubernetesAPI

extension Timestamp {
    /// The present moment.
    package static var now: Timestamp {
        let time = Date().timeIntervalSince1970
        let seconds = time.rounded(.down)
        return Timestamp(seconds: Int64(seconds), nanoseconds: Int32((time - seconds) * 1e9))
    }
}
