internal import CLinux
public import Linux

/// The owner of a map's descriptor, which handles keys and values as plain bytes.
@usableFromInline
struct RawMap: ~Copyable, Sendable {
    let descriptor: FileDescriptor
    let name: String
    let kind: MapKind
    @usableFromInline let keySize: Int
    @usableFromInline let valueSize: Int
    @usableFromInline let capacity: Int
    let flags: MapFlags
    let identifier: UInt32

    /// Takes ownership of a descriptor, and asks the kernel what the map is.
    init(owning descriptor: consuming FileDescriptor) throws(BPFError) {
        var information = bpf_map_info()
        try BPFObjectInformation.read(descriptor.rawValue, &information, "map")
        name = unsafe withUnsafeBytes(of: information.name) { unsafe text($0) }
        kind = MapKind(rawValue: information.type)
        keySize = Int(information.key_size)
        valueSize = Int(information.value_size)
        capacity = Int(information.max_entries)
        flags = MapFlags(rawValue: information.map_flags)
        identifier = information.id
        self.descriptor = descriptor
    }

    /// Whether the map is as a specification says.
    func matches(_ specification: MapSpecification) -> Bool {
        // The kernel adds flags of its own to some kinds.
        kind == specification.kind && keySize == Int(specification.keySize)
            && valueSize == Int(specification.valueSize) && capacity == Int(specification.capacity)
            && flags.isSuperset(of: specification.flags)
    }

    /// Makes a map; its contents are those of the specification.
    static func create(_ specification: MapSpecification) throws(BPFError) -> FileDescriptor {
        var attribute = bpf_attr()
        attribute.map_type = specification.kind.rawValue
        attribute.key_size = specification.keySize
        attribute.value_size = specification.valueSize
        attribute.max_entries = specification.capacity
        attribute.map_flags = specification.flags.rawValue
        let name = kernelName(specification.name)
        unsafe withUnsafeMutableBytes(of: &attribute.map_name) { unsafe $0.copyBytes(from: name) }
        guard specification.kind == .socketStorage else { return try create(&attribute, specification) }
        let types = try MapTypes.load(valueSize: specification.valueSize)
        attribute.btf_fd = UInt32(types.rawValue)
        attribute.btf_key_type_id = MapTypes.key
        attribute.btf_value_type_id = MapTypes.value
        return try create(&attribute, specification)
    }

    private static func create(
        _ attribute: inout bpf_attr, _ specification: MapSpecification
    ) throws(BPFError) -> FileDescriptor {
        let descriptor = FileDescriptor(
            owning: try bpf(BPF_MAP_CREATE, &attribute, "create map", specification.name))
        if let contents = specification.contents {
            var key: UInt32 = 0
            let errno = unsafe contents.withUnsafeBytes { bytes in
                unsafe bytes.baseAddress.flatMap { unsafe update(descriptor.rawValue, &key, $0, 0) }
            }
            if let errno { throw BPFError(errno, "fill map", specification.name) }
        }
        if specification.isConstant {
            var attribute = bpf_attr()
            attribute.map_fd = UInt32(descriptor.rawValue)
            try bpf(BPF_MAP_FREEZE, &attribute, "freeze map", specification.name)
        }
        return descriptor
    }

    /// One command on one element; nil when it succeeds.
    private static func element(
        _ command: bpf_cmd, _ descriptor: Int32, _ key: UnsafeRawPointer?, _ value: UnsafeRawPointer?,
        _ flags: UInt64 = 0
    ) -> Errno? {
        var attribute = bpf_attr()
        attribute.map_fd = UInt32(descriptor)
        attribute.key = unsafe address(key)
        attribute.value = unsafe address(value)
        attribute.flags = flags
        do throws(BPFError) {
            try bpf(command, &attribute, "")
            return nil
        } catch {
            return error.errno
        }
    }

    private static func update(
        _ descriptor: Int32, _ key: UnsafeRawPointer, _ value: UnsafeRawPointer, _ flags: UInt64
    ) -> Errno? {
        unsafe element(BPF_MAP_UPDATE_ELEM, descriptor, key, value, flags)
    }

    @usableFromInline
    func lookUp(_ key: UnsafeRawPointer, _ value: UnsafeMutableRawPointer) -> Errno? {
        unsafe Self.element(BPF_MAP_LOOKUP_ELEM, descriptor.rawValue, key, value)
    }

    @usableFromInline
    func update(_ key: UnsafeRawPointer, _ value: UnsafeRawPointer, _ flags: UInt64) -> Errno? {
        unsafe Self.update(descriptor.rawValue, key, value, flags)
    }

    @usableFromInline
    func delete(_ key: UnsafeRawPointer) -> Errno? {
        unsafe Self.element(BPF_MAP_DELETE_ELEM, descriptor.rawValue, key, nil)
    }

    /// The key after another, in the map's own order; the first for none.
    @usableFromInline
    func next(after key: UnsafeRawPointer?, _ next: UnsafeMutableRawPointer) -> Errno? {
        unsafe Self.element(BPF_MAP_GET_NEXT_KEY, descriptor.rawValue, key, next)
    }

    /// Updates or deletes many elements in one call; returns how many were done.
    @usableFromInline
    func batch(
        deleting: Bool, _ keys: UnsafeRawPointer?, _ values: UnsafeRawPointer?, _ count: Int
    ) -> (done: Int, errno: Errno?) {
        var attribute = bpf_attr()
        unsafe attribute.batch.map_fd = UInt32(descriptor.rawValue)
        unsafe attribute.batch.keys = address(keys)
        unsafe attribute.batch.values = address(values)
        unsafe attribute.batch.count = UInt32(count)
        do throws(BPFError) {
            try bpf(deleting ? BPF_MAP_DELETE_BATCH : BPF_MAP_UPDATE_BATCH, &attribute, "")
            return (unsafe Int(attribute.batch.count), nil)
        } catch {
            return (unsafe min(Int(attribute.batch.count), count), error.errno)
        }
    }

    @usableFromInline
    func failure(_ errno: Errno, _ operation: String) -> BPFError {
        BPFError(errno, operation, name)
    }
}
