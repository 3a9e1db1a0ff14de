internal import Glibc
internal import Linux

/// The owner of maps and programs that were loaded together.
public struct BPFCollection: ~Copyable, Sendable {
    private var maps: [String: Int32] = [:]
    private var programs: [String: Int32] = [:]

    /// Makes the maps of a specification and loads its programs.
    ///
    /// - Parameter directory: where maps are pinned by their names. One that is there is used with what is in it, so
    ///   that programs which run at present and those loaded here share it; one of another shape is an error
    ///   (`Errno.exists`). Maps of variables are always new and never pinned. Nil for maps that end with their users.
    public init(loading specification: CollectionSpecification, mapsIn directory: String? = nil) throws(BPFError) {
        for (name, map) in specification.maps {
            let path = map.contents == nil ? directory.map { "\($0)/\(name)" } : nil
            maps[name] = try Self.open(map, path).release()
        }
        for (name, program) in specification.programs {
            let maps = maps
            programs[name] = try BPFProgram.load(program) { map throws(BPFError) in
                guard let descriptor = maps[map] else {
                    throw BPFError(.noEntry, "load program", name, detail: "it needs the map \(map)")
                }
                return descriptor
            }.release()
        }
    }

    deinit {
        for descriptor in [maps.values, programs.values].joined() { _ = FileDescriptor(owning: descriptor) }
    }

    private static func open(_ map: MapSpecification, _ path: String?) throws(BPFError) -> FileDescriptor {
        guard let path else { return try RawMap.create(map) }
        guard FileSystem.exists(path) else {
            let descriptor = try RawMap.create(map)
            try BPFFileSystem.pin(descriptor, at: path)
            return descriptor
        }
        let found = try RawMap(owning: try BPFFileSystem.open(path))
        guard found.matches(map) else {
            throw BPFError(.exists, "adopt map", path, detail: "it has another kind, size, capacity or flags")
        }
        return try duplicate(found.descriptor.rawValue, path)
    }

    /// An owner of its own for a map.
    public func map<Key: BitwiseCopyable & Sendable, Value: BitwiseCopyable & Sendable>(
        _ name: String, _ key: Key.Type = Key.self, _ value: Value.Type = Value.self
    ) throws(BPFError) -> BPFMap<Key, Value> {
        try BPFMap(owning: try Self.duplicate(maps[name], name))
    }

    /// An owner of its own for a program.
    public func program(_ name: String) throws(BPFError) -> BPFProgram {
        BPFProgram(owning: try Self.duplicate(programs[name], name))
    }

    private static func duplicate(_ descriptor: Int32?, _ name: String) throws(BPFError) -> FileDescriptor {
        guard let descriptor else { throw BPFError(.noEntry, "find in collection", name) }
        let duplicate = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard duplicate >= 0 else { throw BPFError(.last, "duplicate descriptor", name) }
        return FileDescriptor(owning: duplicate)
    }
}
