import APIServer
import Addresses
import TestSupport
import Testing

@Suite struct AllocatorTests {
    private static func pool(_ ranges: IPPrefix...) -> ClusterIPPool {
        var pool = ClusterIPPool()
        for range in ranges { pool.setRanges([range], isReady: true, of: "\(range)") }
        return pool
    }

    @Test func `addresses come from every range that is ready`() throws {
        var pool = Self.pool(try #require(IPPrefix("10.0.0.0/30")), try #require(IPPrefix("10.0.1.0/30")))
        var generator = SeededGenerator(seed: 5)
        var given: Set<String> = []
        for _ in 0..<4 { given.insert(try pool.takeAny(.ipv4, using: &generator).description) }
        #expect(given == ["10.0.0.1", "10.0.0.2", "10.0.1.1", "10.0.1.2"])
        pool.setRanges([try #require(IPPrefix("10.0.1.0/30"))], isReady: false, of: "10.0.1.0/30")
        pool.release(try #require(IPAddress("10.0.1.1")))
        #expect(throws: AllocationError.full) { try pool.takeAny(.ipv4, using: &generator) }
        #expect(pool.held.count == 3)
    }

    @Test func `overlapping ranges give an address once`() throws {
        var pool = Self.pool(try #require(IPPrefix("10.0.0.0/29")), try #require(IPPrefix("10.0.0.0/28")))
        var generator = SeededGenerator(seed: 6)
        var given: Set<IPAddress> = []
        for _ in 0..<14 { given.insert(try pool.takeAny(.ipv4, using: &generator)) }
        #expect(given.count == 14)
        #expect(throws: AllocationError.full) { try pool.takeAny(.ipv4, using: &generator) }
        // The last address of the smaller range is an ordinary one of the larger.
        #expect(given.contains(try #require(IPAddress("10.0.0.7"))))
    }

    @Test func `an address that an IPAddress names is taken`() throws {
        var pool = Self.pool(try #require(IPPrefix("10.0.0.0/30")))
        let address = try #require(IPAddress("10.0.0.1"))
        let isNew = pool.note(address)
        #expect(isNew)
        #expect(throws: AllocationError.self) { try pool.take(address) }
        pool.forget(address)
        try pool.take(address)
    }

    @Test(arguments: [
        ("192.168.0.0/28", 0, "192.168.0.1"), ("192.168.0.0/26", 16, "192.168.0.17"),
        ("192.168.0.0/24", 16, "192.168.0.17"), ("192.168.0.0/22", 64, "192.168.0.65"),
        ("192.168.0.0/20", 256, "192.168.1.1"), ("10.96.0.0/16", 256, "10.96.1.1"),
        ("fd00:10:96::/112", 256, "fd00:10:96::101"), ("fd00:10:96::/64", 256, "fd00:10:96::101"),
    ])
    func `automatic choice leaves the first addresses to those who ask for them`(
        range: String, reserved: UInt128, first: String
    ) throws {
        let prefix = try #require(IPPrefix(range))
        #expect(ClusterIPRange.staticCount(size: UInt128(1) << UInt128(prefix.hostBits)) == reserved)
        let lowest = try #require(IPAddress(first))
        var allocator = Self.pool(prefix)
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<10 {
            let address = try allocator.takeAny(prefix.family, using: &generator)
            #expect(address >= lowest && prefix.contains(address))
        }
    }

    /// Columns: the range, and how many addresses of its two bands there are, the upper one first.
    @Test(
        arguments: [
            ("192.168.0.0/30", 2, 0), ("192.168.0.0/28", 14, 0), ("192.168.0.0/27", 14, 16), ("192.168.0.0/26", 46, 16),
            ("fd00::/124", 15, 0), ("fd00::/123", 15, 16), ("fd00::/122", 47, 16), ("10.0.0.0/31", 0, 0),
            ("10.0.0.0/32", 0, 0), ("fd00::/128", 0, 0),
        ])
    func `automatic choice takes the lower band when the upper one is full`(
        range: String, upper: Int, lower: Int
    ) throws {
        let prefix = try #require(IPPrefix(range))
        for seed in 1...5 as ClosedRange<UInt64> {
            var pool = Self.pool(prefix)
            var generator = SeededGenerator(seed: seed)
            var offsets: [UInt128] = []
            for _ in 0..<(upper + lower) {
                offsets.append(
                    try #require(prefix.offset(of: try pool.takeAny(prefix.family, using: &generator))))
            }
            #expect(offsets.prefix(upper).allSatisfy { $0 > lower }, "seed \(seed)")
            #expect(Set(offsets.dropFirst(upper)) == Set((0..<UInt128(lower)).map { $0 + 1 }), "seed \(seed)")
            #expect(throws: AllocationError.full) { try pool.takeAny(prefix.family, using: &generator) }
        }
    }

    @Test(arguments: ["192.168.0.1", "192.168.0.16", "192.168.0.17", "192.168.0.254"])
    func `a certain address may be of either band`(address: String) throws {
        var pool = Self.pool(try #require(IPPrefix("192.168.0.0/24")))
        try pool.take(try #require(IPAddress(address)))
    }

    @Test(arguments: ["192.168.7.0/26", "fd00::/122"])
    func `every usable address is given once, then the range is full`(range: String) throws {
        let prefix = try #require(IPPrefix(range))
        var allocator = Self.pool(prefix)
        var generator = SeededGenerator(seed: 11)
        var seen: Set<IPAddress> = []
        for _ in 0..<(prefix.family == .ipv4 ? 62 : 63) {
            #expect(seen.insert(try allocator.takeAny(prefix.family, using: &generator)).inserted)
        }
        #expect(!seen.contains(prefix.first))
        let error = #expect(throws: AllocationError.self) {
            try allocator.takeAny(prefix.family, using: &generator)
        }
        #expect(error?.description == "range is full")
        let one = try #require(seen.first)
        allocator.release(one)
        #expect(try allocator.takeAny(prefix.family, using: &generator) == one)
    }

    @Test(
        arguments: [
            ("10.0.0.10", nil),
            ("10.0.0.10", "provided IP is already allocated"),
            ("10.0.0.0", "the provided IP (10.0.0.0) is not in the valid range. The range of valid IPs is 10.0.0.0/24"),
            (
                "10.0.0.255",
                "the provided IP (10.0.0.255) is not in the valid range. The range of valid IPs is 10.0.0.0/24"
            ),
            ("10.0.1.1", "the provided network does not match the current range"),
        ] as [(String, String?)])
    func `a certain address is given or refused with its reason`(address: String, refusal: String?) throws {
        var allocator = Self.pool(try #require(IPPrefix("10.0.0.0/24")))
        if refusal?.contains("already") == true { try allocator.take(try #require(IPAddress(address))) }
        var found: String?
        do { try allocator.take(try #require(IPAddress(address))) } catch { found = "\(error)" }
        #expect(found == refusal)
    }

    @Test(arguments: [
        (2768, 86), (1, 0), (16, 0), (17, 16), (512, 16), (544, 17), (1000, 31), (4096, 128), (65535, 128),
    ])
    func `the first node ports are left to those who ask for them`(size: Int, reserved: Int) {
        #expect(NodePortAllocator.staticCount(size: size) == reserved)
    }

    @Test func `node ports come from the upper band until it is full`() throws {
        var allocator = NodePortAllocator(range: 30000...30099)
        var generator = SeededGenerator(seed: 3)
        var given: [Int] = []
        for _ in 0..<100 { given.append(try allocator.takeAny(using: &generator)) }
        #expect(Set(given).count == 100)
        #expect(given.prefix(84).allSatisfy { $0 >= 30016 })
        #expect(throws: AllocationError.self) { try allocator.takeAny(using: &generator) }
        #expect(throws: AllocationError.self) { try allocator.take(29999) }
        allocator.release(30003)
        #expect(try allocator.takeAny(using: &generator) == 30003)
    }
}
