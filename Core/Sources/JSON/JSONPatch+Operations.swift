/// Why one operation failed; the patch adds which one it was.
struct JSONPatchFailure: Error {
    let code: JSONPatchError.Code
    let message: String

    static func missing(_ pointer: JSONPointer) -> JSONPatchFailure {
        JSONPatchFailure(code: .missing, message: "nothing is at \"\(pointer)\"")
    }
}

/// What the operations of one patch may still cost.
struct JSONPatchBudget {
    /// Bytes of text that may be copied.
    private var bytes = 3 << 20
    /// Neighbours that may be moved by insertions and removals.
    private var moves = 50_000_000

    mutating func copy(_ value: JSONValue) throws(JSONPatchFailure) {
        bytes -= value.serialized().count
        try check(bytes, "it copies more than 3 MiB")
    }

    mutating func move(_ neighbours: Int) throws(JSONPatchFailure) {
        moves -= neighbours
        try check(moves, "it moves too many elements")
    }

    func nest(_ pointer: JSONPointer) throws(JSONPatchFailure) {
        try check(JSONReader.maximumDepth - pointer.tokens.count, "it nests too deeply")
    }

    private func check(_ rest: Int, _ message: String) throws(JSONPatchFailure) {
        guard rest >= 0 else { throw JSONPatchFailure(code: .tooCostly, message: message) }
    }
}

extension JSONPatch.Operation {
    func apply(to document: inout JSONValue, _ budget: inout JSONPatchBudget) throws(JSONPatchFailure) {
        switch self {
        case .add(let path, let value):
            try document.add(value, at: path, &budget)
        case .remove(let path):
            try document.remove(at: path, &budget)
        case .replace(let path, let value):
            guard document[path] != nil else { throw .missing(path) }
            if path.tokens.isEmpty {
                document = value
            } else {
                // An array element is taken out and put back at the same place.
                if document[path.parent]?.array != nil { try document.remove(at: path, &budget) }
                try document.add(value, at: path, &budget)
            }
        case .move(let from, let path):
            guard let value = document[from] else { throw .missing(from) }
            guard from != path else { return }
            guard !path.tokens.starts(with: from.tokens) else {
                throw JSONPatchFailure(code: .malformed, message: "\"\(from)\" cannot move into itself")
            }
            try document.remove(at: from, &budget)
            try document.add(value, at: path, &budget)
        case .copy(let from, let path):
            guard let value = document[from] else { throw .missing(from) }
            try budget.copy(value)
            try document.add(value, at: path, &budget)
        case .test(let path, let value):
            guard document[path] == value else {
                throw JSONPatchFailure(code: .testFailed, message: "the value at \"\(path)\" is not the expected one")
            }
        }
    }
}

extension JSONPointer {
    /// The pointer without its last token; the whole document for the whole document.
    var parent: JSONPointer { JSONPointer(tokens: Array(tokens.dropLast())) }
}

extension JSONValue {
    fileprivate mutating func add(
        _ value: JSONValue, at pointer: JSONPointer, _ budget: inout JSONPatchBudget
    ) throws(JSONPatchFailure) {
        try budget.nest(pointer)
        guard let last = pointer.tokens.last else {
            self = value
            return
        }
        try change(pointer.tokens.dropLast(), pointer) { container throws(JSONPatchFailure) in
            switch container {
            case .object:
                container[last] = value
            case .array(var elements):
                let index = last == "-" ? elements.count : JSONPointer.index(last)
                guard let index, index <= elements.count else { throw .missing(pointer) }
                try budget.move(elements.count - index)
                container = .null
                elements.insert(value, at: index)
                container = .array(elements)
            default:
                throw .missing(pointer)
            }
        }
    }

    fileprivate mutating func remove(
        at pointer: JSONPointer, _ budget: inout JSONPatchBudget
    ) throws(JSONPatchFailure) {
        guard let last = pointer.tokens.last else {
            self = .null
            return
        }
        try change(pointer.tokens.dropLast(), pointer) { container throws(JSONPatchFailure) in
            switch container {
            case .object(var members):
                // The members' index is made anew, which costs several times a move.
                try budget.move(members.count * 8)
                container = .null
                guard members.removeValue(forKey: last) != nil else { throw .missing(pointer) }
                container = .object(members)
            case .array(var elements):
                guard let index = JSONPointer.index(last), elements.indices.contains(index) else {
                    throw .missing(pointer)
                }
                try budget.move(elements.count - index)
                container = .null
                elements.remove(at: index)
                container = .array(elements)
            default:
                throw .missing(pointer)
            }
        }
    }

    /// Walks to a container and changes it in its place; after a failure the value is unspecified.
    ///
    /// Each container on the way is taken out of its own, so that it is changed and not copied.
    private mutating func change(
        _ tokens: ArraySlice<String>, _ pointer: JSONPointer,
        _ body: (inout JSONValue) throws(JSONPatchFailure) -> Void
    ) throws(JSONPatchFailure) {
        guard let token = tokens.first else {
            try body(&self)
            return
        }
        switch self {
        case .object(var members):
            self = .null
            guard var child = members[token] else { throw .missing(pointer) }
            members[token] = .null
            try child.change(tokens.dropFirst(), pointer, body)
            members[token] = child
            self = .object(members)
        case .array(var elements):
            self = .null
            guard let index = JSONPointer.index(token), elements.indices.contains(index) else {
                throw .missing(pointer)
            }
            try elements[index].change(tokens.dropFirst(), pointer, body)
            self = .array(elements)
        default:
            throw .missing(pointer)
        }
    }
}
