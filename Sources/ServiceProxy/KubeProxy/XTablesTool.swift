internal import Linux

/// The tools that read and write the rules of iptables: a pair for each family and each of the two kernels' interfaces.
struct XTablesTool: Sendable {
    let save: String
    let restore: String

    /// Those that have something to read in this namespace.
    ///
    /// The tools of the older interface create its tables when they look for them, so they are asked only where it has some.
    static var all: [XTablesTool] {
        [
            ("iptables", "/proc/thread-self/net/ip_tables_names"),
            ("ip6tables", "/proc/thread-self/net/ip6_tables_names"),
        ]
        .flatMap { name, tables in
            let isOldInUse = (try? FileSystem.readFile(tables)).map { !$0.isEmpty } ?? false
            return ["\(name)-nft"] + (isOldInUse ? ["\(name)-legacy"] : [])
        }.map { XTablesTool(save: "\($0)-save", restore: "\($0)-restore") }
    }
}
