internal import Addresses
internal import BPF
internal import Linux
internal import Netlink
internal import PodTranslation
internal import RouteNetlink
internal import Translation

/// The programs that translate at pods' links, with maps that are pinned: they go on without this process.
final class KernelTranslator: Sendable {
    private let programs: PodTranslator

    /// Loads the programs, with the maps of an earlier process of this node where there are.
    ///
    /// - Parameter slowLink: the number of the device that gets what the programs do not translate.
    init(_ options: NodeTranslationOptions, slowLink: Int32) throws {
        programs = try Self.load(options.prefix, slowLink)
    }

    private static func load(_ prefix: TranslationPrefix, _ slowLink: Int32) throws -> PodTranslator {
        let directory = try directory()
        // All else is refused behind the translator, whichever it is.
        let denied = SpecialNetworks.untranslated
        try BPFFileSystem.prepare(directory)
        do throws(BPFError) {
            return try PodTranslator(prefix: prefix, denied: denied, slowLink: slowLink, mapsIn: directory)
        } catch {
            guard error.errno == .exists else { throw error }
            // Maps of another version, which what is attached keeps until it is replaced.
            try FileSystem.removeTree(directory)
            try BPFFileSystem.prepare(directory)
            return try PodTranslator(prefix: prefix, denied: denied, slowLink: slowLink, mapsIn: directory)
        }
    }

    /// Where the maps of the node in whose network namespace the caller is are pinned.
    private static func directory() throws(SystemError) -> String {
        "\(BPFFileSystem.directory)/nat64-\(try NetworkNamespace.currentCookie())"
    }

    /// Removes the maps that an earlier process has pinned; false when there were none.
    @discardableResult
    static func removeMaps() throws(SystemError) -> Bool {
        // Kernels that have no cookies have no programs either.
        guard let directory = try? directory(), FileSystem.exists(directory) else { return false }
        try FileSystem.removeTree(directory)
        return true
    }

    /// Lets the programs know these pods and no others; false when they did.
    func audit(_ pods: [IPv6Address: IPv4Address]) throws(BPFError) -> Bool {
        let present = try programs.pods()
        for (pod, address) in present where pods[pod] != address { try programs.remove(pod) }
        for (pod, address) in pods where present[pod] != address { try programs.set(address, for: pod) }
        return present != pods
    }

    func set(_ address: IPv4Address, for pod: IPv6Address) throws(BPFError) { try programs.set(address, for: pod) }

    func remove(_ pod: IPv6Address) throws(BPFError) { try programs.remove(pod) }

    func ensureAttached(to link: Int32, _ socket: inout RouteSocket) throws(NetlinkError) -> Bool {
        try programs.ensureAttached(to: link, &socket)
    }

    func counters() throws(BPFError) -> PodTranslationCounters { try programs.counters() }
}
