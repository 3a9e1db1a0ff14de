import Addresses
import Linux

/// The two sockets of one address.
final class DNSListener {
    let id: UInt32
    let address: IPAddress
    let datagrams: FileDescriptor
    let connections: FileDescriptor

    init(id: UInt32, address: IPAddress, port: UInt16) throws(SystemError) {
        self.id = id
        self.address = address
        datagrams = try Sockets.open(address, port: port, isStream: false)
        connections = try Sockets.open(address, port: port, isStream: true)
    }
}
