import Addresses
import CNI
import JSON

/// The rules that give the host's address to what leaves a pod's subnet (`ipMasq`).
///
/// They live in the nftables table of the reference plugins, one rule for each address of an attachment, which a
/// comment ties to it; so either implementation removes what the other added.
enum Masquerade {
    /// Whether a configuration asks for it; code 2 when it asks for iptables, which is not served.
    static func isWanted(_ json: JSONValue) throws(CNIError) -> Bool {
        let backend = try json.word("ipMasqBackend")
        guard backend.isEmpty || backend == "nftables" else {
            throw .unsupported("ipMasqBackend", .string(backend))
        }
        if try json.flag("ipMasq") { throw .unsupported("ipMasq", .bool(true)) }
        return false
    }

    /// The comment on the rules of an attachment; at most the 128 bytes that nftables stores.
    static func comment(network: String, _ attachment: NetworkConfiguration.Attachment) -> String {
        let (interface, container) = (attachment.interfaceName, attachment.containerID)
        let key = prefix(network: network) + "-" + SHA512.hexadecimal("\(interface):\(container)", count: 16)
        let comment = "\(key), net: \(network), if: \(interface), id: \(container)"
        return String(decoding: comment.utf8.prefix(128), as: UTF8.self)
    }

    /// What the comments of a network's rules begin with.
    static func prefix(network: String) -> String { SHA512.hexadecimal(network, count: 16) }
}
