internal import Addresses
internal import NFTables

/// The number under which maps of frontends have what becomes of a connection; the map of shapes has the verdict for it.
///
/// A verdict map with an element for each frontend would be simpler. But the kernel looks for loops among chains after
/// each transaction that adds an element which leads to a chain, and then walks all elements of all verdict maps
/// (nft_lookup_validate of net/netfilter/nft_lookup.c). So the elements that are many carry data, and verdicts are as few
/// as the shapes.
struct ActionNumber: Hashable, Sendable {
    /// The way in, the pool, what the keys are, and the range of the draw.
    private let shape: UInt32
    /// For how many seconds clients keep their endpoints; zero without affinity.
    private let stickySeconds: UInt32

    /// New connections are dropped.
    static let drop = ActionNumber(shape: 1 << 31, stickySeconds: 0)
    /// The fields of the number.
    static let types: [DataType] = [.mark, .mark]

    private static let rangeBits: UInt32 = 27
    private static let localBit: UInt32 = 1 << 29
    private static let nodePortBit: UInt32 = 1 << 30

    private init(shape: UInt32, stickySeconds: UInt32) {
        self.shape = shape
        self.stickySeconds = stickySeconds
    }

    /// The number of the chain of a shape.
    init(_ chain: ChainShape) {
        let balance = chain.balance
        shape =
            balance.range | balance.entry.number << Self.rangeBits | (balance.pool == .local ? Self.localBit : 0)
            | (chain.isNodePort ? Self.nodePortBit : 0)
        stickySeconds = balance.stickySeconds ?? 0
    }

    /// The shape whose chain the number stands for; nil for other numbers.
    var chain: ChainShape? {
        let number = shape >> Self.rangeBits & 3
        guard let entry = Balance.Entry(number: number) else { return nil }
        let balance = Balance(
            entry, shape & Self.localBit == 0 ? .everywhere : .local, over: shape & (1 << Self.rangeBits - 1),
            stickySeconds: stickySeconds == 0 ? nil : stickySeconds)
        let chain = ChainShape(balance, isNodePort: shape & Self.nodePortBit != 0)
        return ActionNumber(chain) == self ? chain : nil
    }

    /// The number as the key of the map of shapes.
    var key: Key {
        var key = Key()
        key.append(number: shape)
        key.append(number: stickySeconds)
        return key
    }

    /// The number as the value of a map of frontends: behind a word, see `BalanceRules`.
    var value: Key {
        var value = Key()
        value.append(number: 0)
        value.append(number: shape)
        value.append(number: stickySeconds)
        return value
    }

    /// The number that a value of a map of frontends is; nil for other values.
    init?(value: Key) {
        let words = stride(from: 0, to: value.bytes.count, by: 4).map { index in
            value.bytes[index...].prefix(4).withUnsafeBytes { $0.count == 4 ? $0.loadUnaligned(as: UInt32.self) : 0 }
        }
        guard words.count == 3, words[0] == 0 else { return nil }
        self.init(shape: words[1], stickySeconds: words[2])
    }
}
