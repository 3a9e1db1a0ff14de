import Foundation
package import KubernetesAPI

extension ConfigMap {
    /// All keys with their bytes.
    package var bytes: [String: [UInt8]] {
        (data ?? [:]).mapValues { Array($0.utf8) }.merging((binaryData ?? [:]).mapValues(\.base64Bytes)) { text, _ in
            text
        }
    }
}

extension Secret {
    /// All keys with their bytes.
    package var bytes: [String: [UInt8]] { (data ?? [:]).mapValues(\.base64Bytes) }
}

extension String {
    /// The bytes that the text stands for in base 64; empty when it is no such text, which the server does not store.
    fileprivate var base64Bytes: [UInt8] { Data(base64Encoded: self).map(Array.init) ?? [] }
}
