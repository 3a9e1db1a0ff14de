import JSON
import KubernetesAPI

/// Answers a creation that asks something and stores nothing.
package struct Review: Sendable {
    /// The object with its answer.
    let answer: @Sendable (_ object: JSONValue, _ context: ReviewContext) throws(StatusError) -> JSONValue

    init(_ answer: @escaping @Sendable (JSONValue, ReviewContext) throws(StatusError) -> JSONValue) {
        self.answer = answer
    }
}

/// What the answer to a review may depend on.
struct ReviewContext: Sendable {
    /// Who asks.
    let user: User
    /// The namespace of the request; empty for none.
    let namespace: String
    /// What users may do.
    let access: AccessControl
    /// The user of a bearer token, and for which of the audiences it is.
    let authenticate: @Sendable (_ token: String, _ audiences: [String]) -> (user: User, audiences: [String])?
}

extension User {
    /// The user as reviews show it.
    var json: JSONValue {
        var value: JSONValue = ["username": .string(name)]
        if !uid.isEmpty { value["uid"] = .string(uid) }
        if !groups.isEmpty { value["groups"] = .array(groups.map { .string($0) }) }
        for (key, texts) in extra.sorted(by: { $0.key < $1.key }) {
            value.set(.array(texts.map { .string($0) }), at: "extra", key)
        }
        return value
    }
}
