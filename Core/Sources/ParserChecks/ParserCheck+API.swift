import Addresses
import JSON
import KubernetesAPI

extension ParserCheck {
    /// The parsers of what strangers send to the API server.
    static let api: [ParserCheck] = [
        ParserCheck("json", json), ParserCheck("json-patch", jsonPatch), ParserCheck("merge-patch", mergePatch),
        ParserCheck("strategic-patch", strategicPatch), ParserCheck("apply", apply),
        ParserCheck("protobuf", protobuf), ParserCheck("schema", schema), ParserCheck("selectors", selectors),
        ParserCheck("texts", texts),
    ]

    /// What is read is written and read again as the same.
    private static func json(_ bytes: [UInt8]) -> String? {
        guard let value = try? JSONValue(parsing: bytes) else { return nil }
        guard (try? JSONValue(parsing: value.serialized())) == value else { return "what is written reads differently" }
        guard (try? JSONValue(text: value.text(pretty: true))) == value else { return "pretty text reads differently" }
        let selection = JSONSelection(paths: [["metadata", "labels"], ["spec"]])
        guard let part = try? JSONValue(parsing: bytes, only: selection) else { return "a part cannot be read" }
        guard value.object == nil || part.at("metadata", "labels") == value.at("metadata", "labels") else {
            return "a part reads differently"
        }
        return nil
    }

    /// A document and what shall be done with it, on a line each.
    private static func pair(_ bytes: [UInt8]) -> (document: JSONValue, change: JSONValue)? {
        let parts = lines(bytes, 2)
        guard parts.count == 2, let document = try? JSONValue(parsing: parts[0]),
            let change = try? JSONValue(parsing: parts[1])
        else { return nil }
        return (document, change)
    }

    /// A patch that fails leaves the document; one that does not leaves one that can be written.
    private static func jsonPatch(_ bytes: [UInt8]) -> String? {
        guard let (document, change) = pair(bytes), let patch = try? JSONPatch(change) else { return nil }
        var result = document
        do throws(JSONPatchError) {
            try patch.apply(to: &result)
        } catch {
            return result == document ? nil : "a patch that failed left a change"
        }
        return isWritable(result) ? nil : "the outcome cannot be written and read"
    }

    /// The same patch again changes nothing (RFC 7396).
    private static func mergePatch(_ bytes: [UInt8]) -> String? {
        guard let (document, change) = pair(bytes) else { return nil }
        var once = document
        once.mergePatch(change)
        var twice = once
        twice.mergePatch(change)
        return once == twice && isWritable(once) ? nil : "the same patch again made a difference"
    }

    /// The outcome has no directive of a patch that was understood as one, and can be written.
    private static func strategicPatch(_ bytes: [UInt8]) -> String? {
        guard let (document, change) = pair(bytes) else { return nil }
        for resource in [Resource.pods, .services, .nodes] {
            guard let node = Schema.node(for: resource) else { return "no schema" }
            var result = document
            do throws(StatusError) {
                try StrategicMergePatch.apply(change, to: &result, schema: node)
            } catch {
                guard [400, 422].contains(error.code) else { return "refused with \(error.code)" }
                continue
            }
            guard isWritable(result) else { return "the outcome cannot be written and read" }
        }
        return nil
    }

    /// Owners, the live object and a configuration: applying again changes nothing.
    private static func apply(_ bytes: [UInt8]) -> String? {
        let values = lines(bytes, 3).map { try? JSONValue(parsing: $0) }
        guard values.count == 3, let owners = values[0], let live = values[1], let configuration = values[2],
            live.object != nil, configuration.object != nil, let node = Schema.node(for: .pods)
        else { return nil }
        var typed = configuration
        guard (try? node.decode(&typed, kind: "Pod")) != nil else { return nil }
        let shape = OwnershipShape.of(.pods)
        func run(_ live: JSONValue, _ owners: ManagedFields) -> (object: JSONValue, owners: ManagedFields)? {
            let writer = FieldWriter(manager: "m", apiVersion: "v1", subresource: "", time: "t")
            return try? ApplyRequest(
                writer: writer, live: live, owners: owners, configuration: typed, isForced: true, shape: shape
            ).run()
        }
        guard let once = run(live, ManagedFields(stored: owners, apiVersion: "v1")) else { return nil }
        guard let twice = run(once.object, once.owners) else { return "what was applied is refused when applied again" }
        return once.object == twice.object && isWritable(once.object)
            ? nil : "the same configuration again made a change"
    }

    /// A body that is read is written, and reads as the same.
    private static func protobuf(_ bytes: [UInt8]) -> String? {
        guard let value = try? ProtobufBody.decode(bytes) else { return nil }
        guard let written = ProtobufBody.encode(value) else { return "what was read cannot be written" }
        return (try? ProtobufBody.decode(written)) == value ? nil : "what is written reads differently"
    }

    /// An object in the form of its type stays so.
    private static func schema(_ bytes: [UInt8]) -> String? {
        guard let value = try? JSONValue(parsing: bytes) else { return nil }
        for resource in [Resource.pods, .services, .endpointSlices, .deployments] {
            guard let node = Schema.node(for: resource) else { return "no schema" }
            var once = value
            guard (try? node.decode(&once, kind: resource.kind)) != nil else { continue }
            var twice = once
            guard let unknown = try? node.decode(&twice, kind: resource.kind) else { return "refused the second time" }
            guard once == twice, unknown.isEmpty else { return "changed the second time" }
        }
        return nil
    }

    /// A selector that is read decides on any labels and fields.
    private static func selectors(_ bytes: [UInt8]) -> String? {
        let text = String(decoding: bytes, as: UTF8.self)
        if let query = try? LabelQuery(text) {
            for labels in [[:], ["a": "b"], [text: text], ["a": "1"]] { _ = query.matches(labels) }
        }
        if let selector = try? FieldSelector(text) { _ = selector.matches { $0 == "metadata.name" ? text : nil } }
        return nil
    }

    /// Short texts: what is read is printed and reads as the same.
    private static func texts(_ bytes: [UInt8]) -> String? {
        let text = String(decoding: bytes, as: UTF8.self)
        for address in [IPAddress(text), IPAddress(sloppy: text)] {
            guard let address else { continue }
            guard IPAddress(address.description) == address else { return "an address reads differently" }
        }
        for prefix in [IPPrefix(text), IPPrefix(masking: text)] {
            guard let prefix else { continue }
            guard IPPrefix(prefix.description) == prefix else { return "a prefix reads differently" }
        }
        if let quantity = Quantity(text) {
            guard Quantity(quantity.description) == quantity else { return "a quantity reads differently" }
            _ = (quantity.value, quantity.milliValue)
        }
        if let time = Timestamp(text) {
            guard let again = Timestamp(time.nanoText), again.seconds == time.seconds else {
                return "a time reads differently"
            }
        }
        _ = try? DurationText(text)
        if let decoded = Base64.decode(text), Base64.decode(Base64.encode(decoded)) != decoded {
            return "Base64 reads differently"
        }
        _ = Base64.decodeURL(bytes)
        _ = JSONPointer(text)
        return nil
    }

    private static func isWritable(_ value: JSONValue) -> Bool {
        (try? JSONValue(parsing: value.serialized())) == value
    }
}
