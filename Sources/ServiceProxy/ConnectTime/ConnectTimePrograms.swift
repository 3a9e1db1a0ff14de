internal import BPF
internal import Linux

/// Loads the programs, and keeps them attached through links that are pinned beside the maps.
///
/// Everything of a node is below one directory: who removes it has taken the programs from the cgroups.
struct ConnectTimePrograms {
    /// What the programs are told when they are loaded.
    struct Constants {
        let nodeNamespace: UInt64
        let answersOnLoopback: Bool
        let masqueradesAll: Bool
        let connectsDatagrams: Bool
    }

    private static let object = "connect_balance"

    private let directory: String
    private let constants: Constants

    init(_ constants: Constants) {
        self.constants = constants
        directory = Self.directory(constants.nodeNamespace)
    }

    /// Where the maps and links of the node with a network namespace are pinned.
    private static func directory(_ nodeNamespace: UInt64) -> String {
        "\(BPFFileSystem.directory)/connect-\(nodeNamespace)"
    }

    /// Takes away what an agent of the node left; false when it left nothing.
    static func remove(nodeNamespace: UInt64) throws(SystemError) -> Bool {
        let directory = directory(nodeNamespace)
        guard FileSystem.exists(directory) else { return false }
        try FileSystem.removeTree(directory)
        return true
    }

    /// Takes away what is attached and pinned.
    func remove() throws(SystemError) {
        _ = try Self.remove(nodeNamespace: constants.nodeNamespace)
    }

    /// Loads the programs for a scope, with the maps that are pinned, or new ones.
    func load(_ scope: ConnectTimeScope) throws -> BPFCollection {
        var specification = try CollectionSpecification(embedded: Self.object)
        try specification.set("node_namespace", to: constants.nodeNamespace)
        try specification.set("serves_node", to: scope.servesNode ? 1 : 0 as UInt32)
        try specification.set("serves_pods", to: scope.servesPods ? 1 : 0 as UInt32)
        try specification.set("answers_on_loopback", to: constants.answersOnLoopback ? 1 : 0 as UInt32)
        try specification.set("masquerades_all", to: constants.masqueradesAll ? 1 : 0 as UInt32)
        try specification.set("connects_datagrams", to: constants.connectsDatagrams ? 1 : 0 as UInt32)
        try BPFFileSystem.prepare(mapDirectory)
        do throws(BPFError) {
            return try BPFCollection(loading: specification, mapsIn: mapDirectory)
        } catch {
            guard error.errno == .exists else { throw error }
            // Maps of another version. What is attached keeps them until it is replaced, after the new ones are filled.
            try FileSystem.removeTree(mapDirectory)
            try BPFFileSystem.prepare(mapDirectory)
            return try BPFCollection(loading: specification, mapsIn: mapDirectory)
        }
    }

    /// Where the maps are pinned by their names.
    var mapDirectory: String { "\(directory)/maps" }

    /// The hooks that have programs.
    static let hooks: [CgroupHook] = [
        .connect4, .connect6, .sendmsg4, .sendmsg6, .recvmsg4, .recvmsg6, .getpeername4, .getpeername6,
        .sockRelease,
    ]

    /// Attaches the programs of a scope, in place of those that are attached already.
    ///
    /// Answers come before calls, so that no call is led whose answer is not, and so does the release of sockets.
    func attach(_ collection: borrowing BPFCollection, _ scope: ConnectTimeScope) throws {
        let cgroup = try Cgroup(scope.cgroup)
        for hook in Self.hooks.reversed() {
            let program = try collection.program("duet_\(hook.rawValue)")
            let path = linkPath(hook, scope)
            if FileSystem.exists(path) {
                let link = try BPFLink(pinnedAt: path)
                if try link.information().cgroup == cgroup.identifier() {
                    try link.replace(with: program)
                    continue
                }
                // Its cgroup is gone, or has been made anew.
                try FileSystem.remove(path)
            }
            try cgroup.attach(program, at: hook).pin(at: path)
        }
    }

    /// Whether the programs of a scope are attached as `attach` left them.
    func isAttached(_ scope: ConnectTimeScope) -> Bool {
        guard let identifier = try? Cgroup(scope.cgroup).identifier() else { return false }
        return Self.hooks.allSatisfy { attachedCgroup(at: linkPath($0, scope)) == identifier }
    }

    /// The cgroup that a link attaches a program to; nil when there is no such link.
    private func attachedCgroup(at path: String) -> UInt64? {
        do throws(BPFError) {
            let link = try BPFLink(pinnedAt: path)
            return try link.information().cgroup
        } catch {
            return nil
        }
    }

    private func linkPath(_ hook: CgroupHook, _ scope: ConnectTimeScope) -> String {
        let part = scope.servesPods ? scope.servesNode ? "all" : "pods" : "node"
        return "\(directory)/\(part)-\(hook.rawValue)"
    }

    /// Takes away links of scopes that are served no more, as after a change of options.
    func removeLinks(except scopes: [ConnectTimeScope]) throws(SystemError) {
        let kept = Set(scopes.flatMap { scope in Self.hooks.map { linkPath($0, scope) } } + [mapDirectory])
        for name in try FileSystem.list(directory) where !kept.contains("\(directory)/\(name)") {
            try FileSystem.removeTree("\(directory)/\(name)")
        }
    }
}
