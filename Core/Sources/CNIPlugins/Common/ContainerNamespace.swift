import Addresses
import CNI
import Linux
import RouteNetlink

/// The network namespace of a container, with a socket to its links, addresses and routes.
struct ContainerNamespace: ~Copyable {
    /// The path that the runtime gave.
    let path: String
    /// The links, addresses and routes.
    var routes: RouteSocket

    private let namespace: NetworkNamespace

    /// Opens the namespace; the error's text is the reference plugins'.
    init(_ path: String) throws {
        let namespace = try Self.open(path)
        routes = try namespace.run { try RouteSocket() }
        self.path = path
        self.namespace = namespace
    }

    private static func open(_ path: String) throws(CNIError) -> NetworkNamespace {
        do throws(SystemError) {
            return try NetworkNamespace.open(path: path)
        } catch {
            throw CNIError("failed to open netns \"\(path)\": \(error)")
        }
    }

    /// Opens the namespace for a clean-up; nil when the path is empty or the namespace is gone, which is no error.
    static func ifPresent(_ path: String) throws -> ContainerNamespace? {
        guard !path.isEmpty, FileSystem.exists(path) else { return nil }
        do throws(SystemError) {
            _ = try NetworkNamespace.open(path: path)
        } catch  where error.errno == .invalidArgument {
            // The file of a namespace that was unmounted already; the runtime removes it next.
            return nil
        }
        return try ContainerNamespace(path)
    }

    /// Runs `body` inside the namespace.
    func run<Value>(_ body: () throws -> Value) throws -> Value { try namespace.run(body) }

    /// Sets kernel parameters of the namespace, in order.
    func set(_ parameters: [(name: String, value: String)]) throws {
        try run {
            for (name, value) in parameters { try Sysctl.set(name, value) }
        }
    }

    /// The link of a name, or an error that names it and the namespace.
    mutating func link(named name: String) throws -> Link {
        guard let link = try routes.link(named: name) else {
            throw CNIError("failed to find interface \"\(name)\" in \(path)")
        }
        return link
    }

    /// Deletes the link of a name; returns the addresses that it had, nil when there is no such link.
    @discardableResult
    mutating func deleteLink(named name: String) throws -> [AddressEntry]? {
        guard let link = try routes.link(named: name) else { return nil }
        let addresses = try routes.addresses(link.index).filter { !$0.address.address.isLinkLocalUnicast }
        try routes.deleteLink(link.index)
        return addresses
    }
}
