/// Where a type's fields are in its protobuf message.
///
/// JSON has the fields of some inner messages (a `VolumeSource`, a `ProbeHandler`) inline; there the layout is nested.
struct ProtobufLayout: Sendable {
    /// What stands under one number.
    indirect enum Member: Sendable {
        /// A field.
        case field(SchemaField)
        /// A message whose fields JSON has inline.
        case inline(ProtobufLayout)
    }

    /// The members by ascending number.
    private(set) var members: [(number: Int, member: Member)] = []

    init(_ fields: [SchemaField]) {
        for field in fields where !field.protobufPath.isEmpty {
            insert(field, at: field.protobufPath[...])
        }
    }

    /// The member of that number.
    subscript(number: Int) -> Member? {
        members.first { $0.number == number }?.member
    }

    private mutating func insert(_ field: SchemaField, at path: ArraySlice<Int>) {
        guard let number = path.first else { return }
        let position = members.firstIndex { $0.number >= number } ?? members.count
        let isKnown = position < members.count && members[position].number == number
        guard path.count > 1 else {
            precondition(!isKnown, "two fields have the number \(number), one of them \(field.name)")
            members.insert((number, .field(field)), at: position)
            return
        }
        var layout = ProtobufLayout([])
        if isKnown, case .inline(let present) = members[position].member { layout = present }
        layout.insert(field, at: path.dropFirst())
        if isKnown {
            members[position].member = .inline(layout)
        } else {
            members.insert((number, .inline(layout)), at: position)
        }
    }
}
