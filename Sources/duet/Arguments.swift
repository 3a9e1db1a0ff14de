import Addresses
import ArgumentParser

/// Reading of arguments that several commands share.
enum Arguments {
    /// A comma-separated list of addresses.
    static func addresses(parsing text: String, option: String) throws -> [IPAddress] {
        try text.split(separator: ",", omittingEmptySubsequences: false).map { item in
            guard let address = IPAddress(String(item)) else {
                throw ValidationError("\(option): \"\(item)\" is no address")
            }
            return address
        }
    }
}
