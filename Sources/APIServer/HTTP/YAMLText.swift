package import JSON
package import KubernetesAPI
import Yams

/// YAML as Kubernetes uses it: JSON's values in another syntax.
package enum YAMLText {
    /// Reads one document.
    package static func read(_ text: String) throws(StatusError) -> JSONValue {
        do {
            guard let node = try Yams.compose(yaml: text) else { return .null }
            var expansion = AliasExpansion(text)
            return try value(node, &expansion)
        } catch let error as StatusError {
            throw error
        } catch {
            throw .badRequest("yaml: \(error)")
        }
    }

    /// Writes a value as a block document.
    package static func write(_ value: JSONValue) -> String {
        // Every node below is built from JSON, so serialization cannot fail.
        (try? Yams.serialize(node: node(value), width: -1)) ?? ""
    }

    /// What a document has come to so far: aliases let a few lines stand for more than any machine can hold.
    private struct AliasExpansion {
        private var values: Int
        private var bytes: Int

        /// Without aliases no document has more values and text than bytes; aliases may add some thousand values, and text
        /// up to what a body may have.
        init(_ text: String) {
            values = text.utf8.count + 10_000
            bytes = text.utf8.count + RequestBodyText.limit
        }

        /// Takes a value or key with its text into account.
        mutating func add(_ count: Int) throws(StatusError) {
            values -= 1
            bytes -= count
            guard values >= 0, bytes >= 0 else {
                throw .badRequest("yaml: document contains excessive aliasing")
            }
        }
    }

    private static func value(_ node: Yams.Node, _ expansion: inout AliasExpansion) throws(StatusError) -> JSONValue {
        switch node {
        case .mapping(let mapping):
            var object = JSONObject()
            try expansion.add(0)
            for (key, member) in mapping {
                let key = key.string ?? ""
                try expansion.add(key.utf8.count)
                object[key] = try value(member, &expansion)
            }
            return .object(object)
        case .sequence(let sequence):
            var elements: [JSONValue] = []
            try expansion.add(0)
            for element in sequence { elements.append(try value(element, &expansion)) }
            return .array(elements)
        case .scalar(let scalar):
            try expansion.add(scalar.string.utf8.count)
            guard scalar.style == .plain || scalar.style == .any else { return .string(scalar.string) }
            if node.null != nil { return .null }
            if let flag = node.bool { return .bool(flag) }
            if let number = node.int { return .integer(Int64(number)) }
            if let number = node.float { return .double(number) }
            return .string(scalar.string)
        case .alias:
            // Yams resolves aliases while it composes.
            return .null
        }
    }

    private static func node(_ value: JSONValue) -> Yams.Node {
        switch value {
        case .null: Yams.Node("null", Tag(.null))
        case .bool(let flag): Yams.Node(flag ? "true" : "false", Tag(.bool))
        case .integer(let number): Yams.Node(String(number), Tag(.int))
        case .double(let number): Yams.Node(String(number), Tag(.float))
        case .string(let text): Yams.Node(text, Tag(.str), isPlain(text) ? .any : .doubleQuoted)
        case .array(let elements): Yams.Node(elements.map(node), Tag(.seq), elements.isEmpty ? .flow : .block)
        case .object(let object):
            Yams.Node(
                object.map { (Yams.Node($0.key, Tag(.str)), node($0.value)) }, Tag(.map),
                object.isEmpty ? .flow : .block)
        }
    }

    /// True when the text, unquoted, is read as text again.
    private static func isPlain(_ text: String) -> Bool {
        let node = Yams.Node(text, Tag(.implicit), .plain)
        return !text.isEmpty && node.null == nil && node.bool == nil && node.int == nil && node.float == nil
            && node.timestamp == nil
    }
}
