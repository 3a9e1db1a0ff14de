import JSON
import KubernetesAPI

/// The options of lists and watches that depend on one another, with Kubernetes' rules for them.
struct ListOptions: Sendable {
    /// What a client says about the age of what it gets.
    enum Match: String, Sendable {
        /// Exactly that version.
        case exact = "Exact"
        /// That version or a newer one.
        case notOlderThan = "NotOlderThan"
    }

    /// The version; nil for the newest, 0 for any.
    let resourceVersion: Int64?
    /// How the version is meant.
    let match: Match?
    /// Where to go on.
    let token: ContinueToken?
    /// Whether a watch begins with the objects that are there.
    let sendInitialEvents: Bool?

    /// Reads the options of a query.
    ///
    /// - Throws: 422 for options that contradict one another, 400 for those that cannot be read.
    init(_ query: Query, isWatch: Bool) throws(StatusError) {
        let wanted = query["resourceVersion"] ?? ""
        let matchText = query["resourceVersionMatch"] ?? ""
        let tokenText = query["continue"] ?? ""
        sendInitialEvents = query["sendInitialEvents"].flatMap { $0.isEmpty ? nil : $0 == "true" || $0 == "1" }
        let problems =
            isWatch
            ? Self.watchProblems(matchText, tokenText, sendInitialEvents)
            : Self.listProblems(wanted, matchText, tokenText, sendInitialEvents)
        guard problems.isEmpty else {
            throw .invalid(kind: "ListOptions", group: "meta.k8s.io", name: "", causes: problems)
        }
        match = Match(rawValue: matchText)
        if wanted.isEmpty {
            resourceVersion = nil
        } else {
            guard let version = Int64(wanted), version >= 0 else {
                throw .badRequest("invalid resource version \"\(wanted)\"")
            }
            resourceVersion = version
        }
        token = tokenText.isEmpty ? nil : try ContinueToken(tokenText)
        if token != nil, resourceVersion ?? 0 != 0 {
            throw .badRequest("specifying resource version is not allowed when using continue")
        }
    }

    private static func listProblems(
        _ version: String, _ match: String, _ token: String, _ sendInitialEvents: Bool?
    ) -> [FieldError] {
        var problems: [FieldError] = []
        if sendInitialEvents != nil {
            problems.append(.forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"))
        }
        guard !match.isEmpty else { return problems }
        if version.isEmpty {
            problems.append(
                .forbidden(
                    "resourceVersionMatch", "resourceVersionMatch is forbidden unless resourceVersion is provided"))
        }
        if !token.isEmpty {
            problems.append(
                .forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided"))
        }
        if Match(rawValue: match) == nil {
            problems.append(.notSupported("resourceVersionMatch", .string(match), ["Exact", "NotOlderThan", ""]))
        }
        if match == Match.exact.rawValue, version == "0" {
            problems.append(
                .forbidden(
                    "resourceVersionMatch", "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""))
        }
        return problems
    }

    private static func watchProblems(
        _ match: String, _ token: String, _ sendInitialEvents: Bool?
    ) -> [FieldError] {
        var problems: [FieldError] = []
        if sendInitialEvents != nil, match != Match.notOlderThan.rawValue {
            problems.append(
                .forbidden(
                    "resourceVersionMatch",
                    "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"))
        }
        guard !match.isEmpty else { return problems }
        if sendInitialEvents == nil {
            problems.append(
                .forbidden(
                    "resourceVersionMatch",
                    "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"))
        }
        if match != Match.notOlderThan.rawValue {
            problems.append(.notSupported("resourceVersionMatch", .string(match), ["NotOlderThan"]))
        }
        if !token.isEmpty {
            problems.append(
                .forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided"))
        }
        return problems
    }
}
