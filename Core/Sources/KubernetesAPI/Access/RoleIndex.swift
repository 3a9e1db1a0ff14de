/// Who may do what by roles and bindings: follows them one by one, so a change costs what that object holds.
public struct RoleIndex: Sendable {
    /// Where a role or a binding stands; an empty namespace is the whole cluster.
    public struct Key: Sendable, Hashable {
        /// Namespace; empty for cluster roles and cluster role bindings.
        public let namespace: String
        /// Name.
        public let name: String

        /// Names an object.
        public init(namespace: String = "", name: String) {
            self.namespace = namespace
            self.name = name
        }
    }

    /// Who receives a role.
    public enum Subject: Sendable, Hashable {
        /// A user; service accounts are users with a name of their own.
        case user(String)
        /// A group.
        case group(String)
    }

    /// What a binding says.
    public struct Binding: Sendable, Hashable {
        /// The role.
        public var role: Key
        /// Who receives it.
        public var subjects: [Subject]

        /// Binds subjects to a role.
        public init(role: Key, subjects: [Subject]) {
            self.role = role
            self.subjects = subjects
        }
    }

    private var roles: [Key: [PolicyRule]] = [:]
    private var bindings: [Key: Binding] = [:]
    /// The roles that a subject has through bindings of a scope, with the number of such bindings.
    private var grants: [String: [Subject: [Key: Int]]] = [:]

    /// An index without roles.
    public init() {}

    /// Sets the rules of a role; nil removes it.
    public mutating func setRole(_ key: Key, _ rules: [PolicyRule]?) {
        roles[key] = rules
    }

    /// Sets what a binding says; nil removes it.
    public mutating func setBinding(_ key: Key, _ binding: Binding?) {
        if let old = bindings[key] {
            for subject in Set(old.subjects) { count(old.role, subject, in: key.namespace, by: -1) }
        }
        bindings[key] = binding
        if let binding {
            for subject in Set(binding.subjects) { count(binding.role, subject, in: key.namespace, by: 1) }
        }
    }

    private mutating func count(_ role: Key, _ subject: Subject, in scope: String, by step: Int) {
        let number = grants[scope]?[subject]?[role] ?? 0
        grants[scope, default: [:]][subject, default: [:]][role] = number + step == 0 ? nil : number + step
        if grants[scope]?[subject]?.isEmpty == true { grants[scope]?[subject] = nil }
        if grants[scope]?.isEmpty == true { grants[scope] = nil }
    }

    /// True when a role of the user, or of one of the groups, allows the request.
    public func allows(user: String, groups: [String], _ request: AccessRequest) -> Bool {
        var isAllowed = false
        visit(user: user, groups: groups, namespace: request.namespace) { rules in
            isAllowed = rules.contains { $0.allows(request) }
            return !isAllowed
        }
        return isAllowed
    }

    /// All rules that hold for a user in a namespace; an empty namespace gives those that hold everywhere.
    public func rules(user: String, groups: [String], namespace: String) -> [PolicyRule] {
        var result: [PolicyRule] = []
        visit(user: user, groups: groups, namespace: namespace) { rules in
            result += rules
            return true
        }
        return result
    }

    /// The rules of a role; nil for a role that does not exist.
    public func rules(of role: Key) -> [PolicyRule]? { roles[role] }

    /// Calls `body` with the rules of each role that holds, while it returns true.
    private func visit(user: String, groups: [String], namespace: String, _ body: ([PolicyRule]) -> Bool) {
        for scope in namespace.isEmpty ? [""] : ["", namespace] {
            guard let granted = grants[scope] else { continue }
            guard visit(granted[.user(user)], body) else { return }
            for group in groups {
                guard visit(granted[.group(group)], body) else { return }
            }
        }
    }

    private func visit(_ granted: [Key: Int]?, _ body: ([PolicyRule]) -> Bool) -> Bool {
        guard let granted else { return true }
        for role in granted.keys {
            if let rules = roles[role], !body(rules) { return false }
        }
        return true
    }
}
