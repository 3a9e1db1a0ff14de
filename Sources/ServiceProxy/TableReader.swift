package import Addresses
internal import NFTables

/// Reads what the kernel has of a family's table, beside its reconciler: no change waits meanwhile.
package actor TableReader {
    private let layout: TableLayout
    private let kernel: any KernelConnection

    /// A reader with sockets in the network namespace of the calling thread.
    package init(_ family: IPFamily, _ options: ProxyOptions = ProxyOptions()) throws {
        layout = TableLayout(family, options)
        kernel = try LinuxConnection()
    }

    /// The entries of a kind; nil when there is an element that the layout cannot have.
    func content(of kind: EntryKind) throws -> [(TableEntry, TableValue)]? {
        try layout.content(of: kind, from: kernel)
    }
}
