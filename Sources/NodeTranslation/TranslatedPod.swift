package import Addresses
package import KubernetesAPI

/// A pod with IPv6 alone that this node translates for, or the node itself.
package struct TranslatedPod: Hashable, Sendable {
    /// Namespace and name.
    package let key: ObjectKey
    /// The pod's own address.
    package let ipv6: IPv6Address
    /// The private address that stands for it; nil where translation is off.
    package let translated: IPv4Address?
    /// The private address that stands for the pod's CLAT; nil where it wants none.
    package let clat: IPv4Address?

    /// Whether it is the node itself, which has no link that programs could stand at.
    package let isNode: Bool

    package init(
        key: ObjectKey, ipv6: IPv6Address, translated: IPv4Address?, clat: IPv4Address?, isNode: Bool = false
    ) {
        self.key = key
        self.ipv6 = ipv6
        self.translated = translated
        self.clat = clat
        self.isNode = isNode
    }

    /// Both private addresses.
    package var privateAddresses: [IPv4Address] { [translated, clat].compactMap(\.self) }
}
