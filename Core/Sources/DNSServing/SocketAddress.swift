import Addresses
import CLinux
import Glibc

/// An address and a port in the form that socket calls take.
struct SocketAddress {
    // The first member: a pointer to a value of this type is one to the address in it.
    private var storage: sockaddr_storage
    private(set) var size: socklen_t

    /// An address as a socket call has written it.
    init(_ storage: sockaddr_storage, size: socklen_t) {
        self.storage = storage
        self.size = size
    }

    init(_ address: IPAddress, port: UInt16) {
        storage = sockaddr_storage()
        switch address {
        case .v4(let address):
            var value = sockaddr_in()
            value.sin_family = sa_family_t(AF_INET)
            value.sin_port = port.bigEndian
            value.sin_addr.s_addr = address.rawValue.bigEndian
            size = socklen_t(MemoryLayout<sockaddr_in>.size)
            unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.storeBytes(of: value, as: sockaddr_in.self) }
        case .v6(let address):
            var value = sockaddr_in6()
            value.sin6_family = sa_family_t(AF_INET6)
            value.sin6_port = port.bigEndian
            unsafe withUnsafeMutableBytes(of: &value.sin6_addr) {
                unsafe $0.storeBytes(of: address.rawValue.bigEndian, as: UInt128.self)
            }
            size = socklen_t(MemoryLayout<sockaddr_in6>.size)
            unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.storeBytes(of: value, as: sockaddr_in6.self) }
        }
    }

    /// The address in what a socket call has written.
    @inline(__always)
    static func address(of storage: borrowing sockaddr_storage) -> IPAddress {
        unsafe withUnsafeBytes(of: storage) { bytes in
            guard unsafe bytes.load(as: sa_family_t.self) == sa_family_t(AF_INET6) else {
                let bits = unsafe bytes.load(fromByteOffset: 4, as: UInt32.self)
                return .v4(IPv4Address(rawValue: UInt32(bigEndian: bits)))
            }
            let bits = unsafe bytes.loadUnaligned(fromByteOffset: 8, as: UInt128.self)
            return .v6(IPv6Address(rawValue: UInt128(bigEndian: bits)))
        }
    }

    /// Calls `body` with the address for reading.
    func read<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        unsafe withUnsafePointer(to: storage) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, size) }
        }
    }
}
