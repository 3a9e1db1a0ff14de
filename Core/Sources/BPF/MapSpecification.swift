internal import CLinux

/// How a map finds its values (`enum bpf_map_type` of linux/bpf.h).
public struct MapKind: RawRepresentable, Hashable, Sendable {
    /// The kernel's number.
    public let rawValue: UInt32

    /// Wraps the kernel's number.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// By equal keys.
    public static let hash = MapKind(rawValue: BPF_MAP_TYPE_HASH.rawValue)
    /// By an index from 0.
    public static let array = MapKind(rawValue: BPF_MAP_TYPE_ARRAY.rawValue)
    /// By equal keys; each CPU has values of its own.
    public static let perCPUHash = MapKind(rawValue: BPF_MAP_TYPE_PERCPU_HASH.rawValue)
    /// By an index from 0; each CPU has values of its own.
    public static let perCPUArray = MapKind(rawValue: BPF_MAP_TYPE_PERCPU_ARRAY.rawValue)
    /// By equal keys; when it is full, the one that was used longest ago goes.
    public static let lruHash = MapKind(rawValue: BPF_MAP_TYPE_LRU_HASH.rawValue)
    /// By the longest prefix that covers the key.
    public static let longestPrefix = MapKind(rawValue: BPF_MAP_TYPE_LPM_TRIE.rawValue)
    /// By a socket, for as long as it lives.
    public static let socketStorage = MapKind(rawValue: BPF_MAP_TYPE_SK_STORAGE.rawValue)
    /// By no key: a stream of records to user space.
    public static let ringBuffer = MapKind(rawValue: BPF_MAP_TYPE_RINGBUF.rawValue)

    /// Whether each CPU has values of its own.
    public var isPerCPU: Bool { self == .perCPUHash || self == .perCPUArray }
}

/// How a map is made (`BPF_F_…` of linux/bpf.h).
public struct MapFlags: OptionSet, Hashable, Sendable {
    /// The kernel's bits.
    public let rawValue: UInt32

    /// Wraps the kernel's bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Memory for an element is taken when it is added.
    public static let noPreallocation = MapFlags(rawValue: UInt32(BPF_F_NO_PREALLOC))
    /// Programs only read it.
    public static let readOnlyForPrograms = MapFlags(rawValue: UInt32(BPF_F_RDONLY_PROG))
}

/// A map as it shall be.
public struct MapSpecification: Hashable, Sendable {
    /// Its name; the kernel keeps the first 15 bytes.
    public var name: String
    /// How it finds its values.
    public var kind: MapKind
    /// Bytes of a key.
    public var keySize: UInt32
    /// Bytes of a value.
    public var valueSize: UInt32
    /// How many elements it holds at most.
    public var capacity: UInt32
    /// How it is made.
    public var flags: MapFlags
    /// The value of its one element, for a map that stands for a program's variables.
    public var contents: [UInt8]?

    /// Describes a map.
    public init(
        _ name: String, _ kind: MapKind, keySize: UInt32, valueSize: UInt32, capacity: UInt32, flags: MapFlags = [],
        contents: [UInt8]? = nil
    ) {
        self.name = name
        self.kind = kind
        self.keySize = keySize
        self.valueSize = valueSize
        self.capacity = capacity
        self.flags = flags
        self.contents = contents
    }

    /// Whether it holds a program's constants.
    var isConstant: Bool { contents != nil && flags.contains(.readOnlyForPrograms) }
}
