extension JSONValue {
    /// A member of an object; nil for a missing member and for a value that is no object.
    ///
    /// Setting nil removes the member. Setting a member of a value that is no object makes it an object.
    public subscript(key: String) -> JSONValue? {
        get {
            guard case .object(let object) = self else { return nil }
            return object[key]
        }
        set {
            guard case .object(var object) = self else {
                if let newValue { self = .object([key: newValue]) }
                return
            }
            self = .null  // so that the object is not shared while it changes
            object[key] = newValue
            self = .object(object)
        }
    }

    /// An element of an array; nil outside its bounds and for a value that is no array.
    public subscript(index: Int) -> JSONValue? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }

    /// The text of a string; nil for any other value.
    public var string: String? {
        guard case .string(let value) = self else { return nil }
        return value
    }

    /// The value of a number without fraction; nil for any other value.
    public var int: Int? {
        switch self {
        case .integer(let value): Int(value)
        case .double(let value): Int(exactly: value)
        default: nil
        }
    }

    /// The value of a boolean; nil for any other value.
    public var bool: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    /// The elements of an array; nil for any other value.
    public var array: [JSONValue]? {
        guard case .array(let value) = self else { return nil }
        return value
    }

    /// The members of an object; nil for any other value.
    public var object: JSONObject? {
        guard case .object(let value) = self else { return nil }
        return value
    }

    /// Whether this is `null`.
    public var isNull: Bool {
        guard case .null = self else { return false }
        return true
    }

    /// The value found by following keys through nested objects; nil where one is missing.
    public func at(_ path: String...) -> JSONValue? {
        var value = self
        for key in path {
            guard let member = value[key] else { return nil }
            value = member
        }
        return value
    }

    /// Sets the value at the end of a path of keys, making objects on the way; nil removes it and makes none.
    public mutating func set(_ value: JSONValue?, at path: String...) {
        set(value, at: path[...])
    }

    private mutating func set(_ value: JSONValue?, at path: ArraySlice<String>) {
        guard let key = path.first else {
            self = value ?? .null
            return
        }
        if path.count == 1 {
            self[key] = value
            return
        }
        var child = self[key]
        if child == nil, value == nil { return }
        if let object = self.object, object[key] != nil { self[key] = .null }  // keep the place, drop the share
        if child == nil { child = .null }
        child?.set(value, at: path.dropFirst())
        self[key] = child
    }
}
