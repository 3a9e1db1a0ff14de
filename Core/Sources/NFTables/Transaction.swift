/// Changes that the kernel makes all together or not at all.
public struct Transaction: Sendable, Hashable {
    /// One change.
    public enum Operation: Sendable, Hashable {
        /// Creates a table; one that is there already is no error.
        case addTable(Table)
        /// Deletes a table with all that is in it.
        case deleteTable(Table)
        /// Creates a chain; an equal one that is there already is no error.
        case addChain(Chain)
        /// Deletes a chain with its rules; nothing may lead to it.
        case deleteChain(Table, String)
        /// Deletes the rules of a chain.
        case flushChain(Table, String)
        /// Adds a rule at the end of its chain.
        case addRule(Rule)
        /// Adds a rule at the beginning of its chain.
        case insertRule(Rule)
        /// Puts a rule in the place of the one that the handle names.
        case replaceRule(Rule, handle: UInt64)
        /// Deletes the rule that the handle names.
        case deleteRule(Table, chain: String, handle: UInt64)
        /// Creates a set or map; an equal one that is there already is no error.
        case addSet(NamedSet)
        /// Deletes a set; no rule may use it.
        case deleteSet(Table, String)
        /// Deletes the elements of a set.
        case flushSet(Table, String)
        /// Adds elements to a set; equal ones that are there already are no error.
        case addElements(Table, set: String, [Element])
        /// Deletes elements of a set; one that is not there is an error.
        case deleteElements(Table, set: String, [Element])
    }

    /// The changes, in order.
    public private(set) var operations: [Operation] = []

    /// A transaction without changes.
    public init() {}

    /// A transaction of changes.
    public init(_ operations: [Operation]) {
        for operation in operations { append(operation) }
    }

    /// Whether there is nothing to do.
    public var isEmpty: Bool {
        operations.isEmpty
    }

    /// Appends a change; elements in an empty list are no change.
    public mutating func append(_ operation: Operation) {
        switch operation {
        case .addElements(_, _, let elements), .deleteElements(_, _, let elements):
            if elements.isEmpty { return }
        default: break
        }
        operations.append(operation)
    }

    /// Appends the changes of another transaction.
    public mutating func append(contentsOf other: Transaction) {
        operations += other.operations
    }
}

extension Transaction: CustomStringConvertible {
    /// One change a line, in the words of nft.
    public var description: String {
        operations.map(\.description).joined(separator: "\n")
    }
}

extension Transaction.Operation: CustomStringConvertible {
    /// The change in the words of nft; of many elements the first three.
    public var description: String {
        switch self {
        case .addTable(let table): "add table \(table)"
        case .deleteTable(let table): "delete table \(table)"
        case .addChain(let chain): "add chain \(chain)"
        case .deleteChain(let table, let name): "delete chain \(table) \(name)"
        case .flushChain(let table, let name): "flush chain \(table) \(name)"
        case .addRule(let rule): "add rule \(rule)"
        case .insertRule(let rule): "insert rule \(rule)"
        case .replaceRule(let rule, let handle): "replace rule handle \(handle) \(rule)"
        case .deleteRule(let table, let chain, let handle): "delete rule \(table) \(chain) handle \(handle)"
        case .addSet(let set): "add \(set.value == .none ? "set" : "map") \(set)"
        case .deleteSet(let table, let name): "delete set \(table) \(name)"
        case .flushSet(let table, let name): "flush set \(table) \(name)"
        case .addElements(let table, let set, let elements): "add element \(table) \(set) \(Self.text(elements))"
        case .deleteElements(let table, let set, let elements):
            "delete element \(table) \(set) \(Self.text(elements))"
        }
    }

    private static func text(_ elements: [Element]) -> String {
        let shown = elements.prefix(3).map(\.description).joined(separator: ", ")
        return "{ \(shown)\(elements.count > 3 ? ", … (\(elements.count))" : "") }"
    }
}
