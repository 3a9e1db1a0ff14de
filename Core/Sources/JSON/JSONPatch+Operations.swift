/// Why one operation failed; the patch adds which one it was.
struct JSONPatchFailure: Error {
    let code: JSONPatchError.Code
    let message: String

    static func missing(_ pointer: JSONPointer) -> JSONPatchFailure {
        JSONPatchFailure(code: .missing, message: "nothing is at \"\(pointer)\"")
    }
}

extension JSONPatch.Operation {
    func apply(to document: inout JSONValue) throws(JSONPatchFailure) {
        switch self {
        case .add(let path, let value):
            try document.add(value, at: path)
        case .remove(let path):
            try document.remove(at: path)
        case .replace(let path, let value):
            guard document[path] != nil else { throw .missing(path) }
            if path.tokens.isEmpty {
                document = value
            } else {
                // An array element is taken out and put back at the same place.
                if document[path.parent]?.array != nil { try document.remove(at: path) }
                try document.add(value, at: path)
            }
        case .move(let from, let path):
            guard let value = document[from] else { throw .missing(from) }
            guard from != path else { return }
            guard !path.tokens.starts(with: from.tokens) else {
                throw JSONPatchFailure(code: .malformed, message: "\"\(from)\" cannot move into itself")
            }
            try document.remove(at: from)
            try document.add(value, at: path)
        case .copy(let from, let path):
            guard let value = document[from] else { throw .missing(from) }
            try document.add(value, at: path)
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
    fileprivate mutating func add(_ value: JSONValue, at pointer: JSONPointer) throws(JSONPatchFailure) {
        try change(pointer.tokens[...], pointer) { (container, token) throws(JSONPatchFailure) in
            switch container {
            case .object:
                container[token] = value
            case .array(var elements):
                let index = token == "-" ? elements.count : JSONPointer.index(token)
                guard let index, index <= elements.count else { throw .missing(pointer) }
                container = .null
                elements.insert(value, at: index)
                container = .array(elements)
            default:
                throw .missing(pointer)
            }
        } whole: { document in
            document = value
        }
    }

    fileprivate mutating func remove(at pointer: JSONPointer) throws(JSONPatchFailure) {
        try change(pointer.tokens[...], pointer) { (container, token) throws(JSONPatchFailure) in
            switch container {
            case .object(let object) where object[token] != nil:
                container[token] = nil
            case .array(var elements):
                guard let index = JSONPointer.index(token), elements.indices.contains(index) else {
                    throw .missing(pointer)
                }
                container = .null
                elements.remove(at: index)
                container = .array(elements)
            default:
                throw .missing(pointer)
            }
        } whole: { document in
            document = .null
        }
    }

    /// Walks to the container of the last token and changes it there.
    private mutating func change(
        _ tokens: ArraySlice<String>, _ pointer: JSONPointer,
        _ body: (inout JSONValue, String) throws(JSONPatchFailure) -> Void,
        whole: (inout JSONValue) -> Void
    ) throws(JSONPatchFailure) {
        guard let token = tokens.first else {
            whole(&self)
            return
        }
        if tokens.count == 1 {
            try body(&self, token)
            return
        }
        switch self {
        case .object(let object):
            guard var child = object[token] else { throw .missing(pointer) }
            try child.change(tokens.dropFirst(), pointer, body, whole: whole)
            self[token] = child
        case .array(var elements):
            guard let index = JSONPointer.index(token), elements.indices.contains(index) else {
                throw .missing(pointer)
            }
            try elements[index].change(tokens.dropFirst(), pointer, body, whole: whole)
            self = .array(elements)
        default:
            throw .missing(pointer)
        }
    }
}
