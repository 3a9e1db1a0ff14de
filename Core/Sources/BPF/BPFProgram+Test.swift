internal import CLinux
internal import Linux

/// What the kernel tells a packet program about a packet besides its bytes, in a test run.
public struct PacketContext: Hashable, Sendable {
    /// The packet's mark.
    public var mark: UInt32
    /// The link that it is on; 0 for the loopback link of the caller's network namespace.
    public var link: UInt32
    /// The payload of each segment, when the packet stands for several; else 0.
    public var segmentSize: UInt32
    /// For how many segments the packet stands.
    public var segments: UInt32
    /// Whether a device has made a sum of the whole packet (CHECKSUM_COMPLETE), which a program is to keep right: a run that
    /// does not fails with EBADMSG (Linux 6.17; one before refuses the run with EINVAL).
    public var hasWholeSum: Bool

    /// Describes a packet.
    public init(
        mark: UInt32 = 0, link: UInt32 = 0, segmentSize: UInt32 = 0, segments: UInt32 = 0, hasWholeSum: Bool = false
    ) {
        self.mark = mark
        self.link = link
        self.segmentSize = segmentSize
        self.segments = segments
        self.hasWholeSum = hasWholeSum
    }
}

extension BPFProgram {
    /// What a program did to a packet.
    public struct Run: Hashable, Sendable {
        /// What it returned, such as `TC_ACT_OK`.
        public let result: UInt32
        /// The packet afterwards.
        public let packet: [UInt8]
        /// What is told of the packet afterwards.
        public let context: PacketContext
        /// The mean time of one run, in nanoseconds.
        public let nanoseconds: UInt32
    }

    /// Runs a packet program on a packet, Ethernet header first, without sending it anywhere (BPF_PROG_TEST_RUN).
    ///
    /// - Parameter repetitions: how often it runs, for its time; each run after the first sees what the last one left.
    public func run(
        on packet: [UInt8], _ context: PacketContext = PacketContext(), repetitions: Int = 1
    ) throws(BPFError) -> Run {
        var buffer = unsafe __sk_buff()
        unsafe buffer.mark = context.mark
        unsafe buffer.ifindex = context.link
        unsafe buffer.gso_size = context.segmentSize
        unsafe buffer.gso_segs = context.segments
        // Translation may lengthen a packet; the rest is what the kernel's linear test packet has room for.
        var output = [UInt8](repeating: 0, count: packet.count + 4096)
        var attribute = bpf_attr()
        unsafe attribute.test.prog_fd = UInt32(descriptor.rawValue)
        unsafe attribute.test.repeat = UInt32(repetitions)
        if context.hasWholeSum { unsafe attribute.test.flags = UInt32(BPF_F_TEST_SKB_CHECKSUM_COMPLETE) }
        var failure: BPFError?
        unsafe packet.withUnsafeBytes { input in
            unsafe output.withUnsafeMutableBytes { output in
                unsafe withUnsafeMutableBytes(of: &buffer) { buffer in
                    unsafe attribute.test.data_in = address(input.baseAddress)
                    unsafe attribute.test.data_size_in = UInt32(input.count)
                    unsafe attribute.test.data_out = address(output.baseAddress)
                    unsafe attribute.test.data_size_out = UInt32(output.count)
                    unsafe attribute.test.ctx_in = address(buffer.baseAddress)
                    unsafe attribute.test.ctx_size_in = UInt32(buffer.count)
                    unsafe attribute.test.ctx_out = address(buffer.baseAddress)
                    unsafe attribute.test.ctx_size_out = UInt32(buffer.count)
                    do throws(BPFError) {
                        try bpf(BPF_PROG_TEST_RUN, &attribute, "run program on a packet of \(input.count) bytes")
                    } catch {
                        failure = error
                    }
                }
            }
        }
        if let failure { throw failure }
        return unsafe Run(
            result: attribute.test.retval, packet: Array(output.prefix(Int(attribute.test.data_size_out))),
            context: PacketContext(
                mark: buffer.mark, link: buffer.ifindex, segmentSize: buffer.gso_size, segments: buffer.gso_segs,
                hasWholeSum: context.hasWholeSum),
            nanoseconds: attribute.test.duration)
    }
}
