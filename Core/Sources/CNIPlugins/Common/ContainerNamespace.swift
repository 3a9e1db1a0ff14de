import Addresses
import CNI
import Linux
import Netlink
import RouteNetlink

/// The network namespace of a container, with a socket to its links, addresses and routes.
struct ContainerNamespace: ~Copyable {
    /// The path that the runtime gave.
    let path: String
    /// The links, addresses and routes.
    var routes: RouteSocket

    /// The namespace of this process: the host's.
    let home: NetworkNamespace
    private let namespace: NetworkNamespace

    /// Opens the namespace; the error's text is the reference plugins'.
    init(_ path: String) throws {
        try self.init(path, try Self.open(path))
    }

    private init(_ path: String, _ namespace: consuming NetworkNamespace) throws {
        let home = try NetworkNamespace.current()
        routes = try namespace.visit(from: home) { try RouteSocket() }
        self.path = path
        self.home = home
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
        do {
            return try ContainerNamespace(path, NetworkNamespace.open(path: path))
        } catch let error as SystemError where error.errno == .invalidArgument {
            // The file of a namespace that was unmounted already; the runtime removes it next.
            return nil
        }
    }

    /// Runs `body` inside the namespace.
    func run<Value>(_ body: () throws -> Value) throws -> Value { try namespace.visit(from: home, body) }

    /// The link of a name, or an error that names it and the namespace.
    mutating func link(named name: String) throws -> Link {
        guard let link = try routes.link(named: name) else {
            throw CNIError("failed to find interface \"\(name)\" in \(path)")
        }
        return link
    }

    /// Makes changes in order; a route of which there is the same already is no error.
    ///
    /// Errors: the first change that was refused.
    mutating func make(_ changes: [LinkChange]) throws {
        for error in try routes.make(changes) {
            let route: Route
            switch changes[error.index] {
            case .addRoute(let added), .addWay(let added): route = added
            case .addAddress, .bringUp: throw error
            }
            if error.errno == .exists { continue }
            throw CNIError("failed to add route '\(route)' in \(path): \(error)")
        }
    }
}
