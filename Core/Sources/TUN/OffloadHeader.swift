internal import CLinux

/// What is left to be done with a packet that a device hands over or takes (linux/virtio_net.h: `struct virtio_net_hdr`).
public struct OffloadHeader: Sendable {
    var raw = virtio_net_hdr()

    /// How a packet that is longer than a link takes is to be cut.
    @frozen
    public enum Segmentation: Hashable, Sendable {
        /// Into TCP segments over IPv4.
        case tcpOverIPv4
        /// Into TCP segments over IPv6.
        case tcpOverIPv6
        /// Into UDP datagrams.
        case udp
    }

    /// `VIRTIO_NET_HDR_GSO_UDP_L4`, which headers before Linux 6.2 do not have.
    private static let udpSegmentation: UInt8 = 5

    /// Makes a header of a packet that nothing is left to be done with.
    public init() {}

    /// The checksum that is to be made: from where on, counted from the IP header, and how far behind that place it is put.
    public var checksum: (start: Int, offset: Int)? {
        get {
            guard raw.flags & UInt8(VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0 else { return nil }
            return (Int(raw.csum_start), Int(raw.csum_offset))
        }
        set {
            raw.flags = newValue == nil ? 0 : UInt8(VIRTIO_NET_HDR_F_NEEDS_CSUM)
            raw.csum_start = UInt16(clamping: newValue?.start ?? 0)
            raw.csum_offset = UInt16(clamping: newValue?.offset ?? 0)
        }
    }

    /// How the packet is to be cut; nil for one that is not, or in a way that was never offered.
    public var segmentation: Segmentation? {
        get {
            switch raw.gso_type & ~UInt8(VIRTIO_NET_HDR_GSO_ECN) {
            case UInt8(VIRTIO_NET_HDR_GSO_TCPV4): .tcpOverIPv4
            case UInt8(VIRTIO_NET_HDR_GSO_TCPV6): .tcpOverIPv6
            case OffloadHeader.udpSegmentation: .udp
            default: nil
            }
        }
        set {
            let kind: UInt8 =
                switch newValue {
                case .tcpOverIPv4: UInt8(VIRTIO_NET_HDR_GSO_TCPV4)
                case .tcpOverIPv6: UInt8(VIRTIO_NET_HDR_GSO_TCPV6)
                case .udp: OffloadHeader.udpSegmentation
                case nil: UInt8(VIRTIO_NET_HDR_GSO_NONE)
                }
            // That the first segment alone says "congestion window reduced" holds whatever the family is.
            raw.gso_type = kind | (newValue == nil ? 0 : raw.gso_type & UInt8(VIRTIO_NET_HDR_GSO_ECN))
        }
    }

    /// The payload of each segment but the last.
    public var segmentSize: Int {
        get { Int(raw.gso_size) }
        set { raw.gso_size = UInt16(clamping: newValue) }
    }

    /// The bytes of all headers, which every segment gets.
    public var headerLength: Int {
        get { Int(raw.hdr_len) }
        set { raw.hdr_len = UInt16(clamping: newValue) }
    }
}
