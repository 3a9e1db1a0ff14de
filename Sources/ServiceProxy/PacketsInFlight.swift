internal import Glibc
internal import Linux

/// Packets that are on their way through the kernel's rules.
///
/// A packet that began on the rules before a change goes on with them, but what it looks up in maps is already what the change has
/// made of them, while the sets of a deleted table hold what they held (nft_map_deactivate of net/netfilter/nf_tables_api.c). So
/// the rules of a table that goes would find no endpoint in its maps, and refuse the connection since its sets know the Service.
/// Hence a table goes in two steps with this wait in between: first what leads packets to the decision, then the rest; and one
/// is put in the place of another while a third one answers.
enum PacketsInFlight {
    /// Waits until each packet that is among rules has met its last one.
    ///
    /// The kernel lets go of a packet socket only then (synchronize_net in packet_release of net/packet/af_packet.c). Where it
    /// has no such sockets nothing is waited for: the moment in question lasts microseconds.
    static func wait() {
        let socket = Glibc.socket(AF_PACKET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { return }
        _ = FileDescriptor(owning: socket)
    }
}
