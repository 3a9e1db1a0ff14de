import Wire

/// Where a packet comes from.
enum Arrival: Sendable {
    /// From a link.
    case link
    /// From another translator of the same public addresses, which has translated it to IPv4.
    case handOver
}

/// The frame of a translator of packets: what comes before and after the translation itself.
protocol FramedTranslator: ~Copyable {
    /// Counts what has become of a packet, and answers it if it was refused.
    ///
    /// A function instead of the accounts themselves: an accessor that yields takes memory in an unoptimised build.
    @_lifetime(buffer: copy buffer)
    mutating func conclude(
        _ result: Result<Outcome, Refusal>, _ buffer: inout MutableRawSpan, _ packet: Range<Int>, at now: Timestamp
    ) -> Outcome

    /// Translates a packet that has at least one byte.
    @_lifetime(buffer: copy buffer)
    mutating func translated(
        _ buffer: inout MutableRawSpan, _ packet: Range<Int>, _ offload: PacketOffload, arrival: Arrival,
        at now: Timestamp
    ) throws(Refusal) -> Outcome
}

extension FramedTranslator where Self: ~Copyable {
    /// Translates a packet, counts what becomes of it, and answers it where its sender is due an answer.
    @_lifetime(buffer: copy buffer)
    mutating func settle(
        _ buffer: inout MutableRawSpan, _ packet: Range<Int>, _ offload: PacketOffload,
        arrival: Arrival = .link, at now: Timestamp
    ) -> Outcome {
        precondition(
            packet.lowerBound >= TranslationOptions.headroom && packet.upperBound <= buffer.byteCount,
            "a packet needs \(TranslationOptions.headroom) free bytes in front")
        let result: Result<Outcome, Refusal>
        do throws(Refusal) {
            guard !packet.isEmpty else { throw Refusal(.malformed) }
            result = .success(try translated(&buffer, packet, offload, arrival: arrival, at: now))
        } catch {
            result = .failure(error)
        }
        return conclude(result, &buffer, packet, at: now)
    }
}
