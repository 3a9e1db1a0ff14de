/// Which part of a datagram a fragment is.
@frozen
public struct FragmentPosition: Hashable, Sendable {
    /// The distance of the fragment's payload from that of the datagram, in bytes; a multiple of 8.
    public var offset: Int
    /// Whether other fragments follow.
    public var hasMore: Bool

    /// Makes a position.
    @inlinable
    public init(offset: Int, hasMore: Bool) {
        self.offset = offset
        self.hasMore = hasMore
    }

    /// A datagram in one piece.
    @inlinable public static var whole: FragmentPosition { FragmentPosition(offset: 0, hasMore: false) }

    /// Whether this is a whole datagram.
    @inlinable public var isWhole: Bool { offset == 0 && !hasMore }

    /// Whether the fragment holds the transport header.
    @inlinable public var isFirst: Bool { offset == 0 }
}
