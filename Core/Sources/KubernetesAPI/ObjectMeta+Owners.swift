extension ObjectMeta {
    /// The owner that manages the object, if one does.
    public var controllerOwner: OwnerReference? {
        ownerReferences?.first { $0.controller == true }
    }

    /// True when the object is managed by the owner with this UID.
    public func isControlled(by uid: String) -> Bool {
        controllerOwner?.uid == uid
    }
}

extension [Condition] {
    /// The condition of a type, if there is one.
    public subscript(type: String) -> Condition? {
        first { $0.type == type }
    }

    /// True when the condition of a type is `True`.
    public func isTrue(_ type: String) -> Bool {
        self[type]?.status == "True"
    }

    /// Sets a condition; the time of transition stays when the status does, as does the place in the list.
    ///
    /// Returns false when status, reason and message are what they were.
    @discardableResult
    public mutating func set(
        _ type: String, _ status: String, reason: String? = nil, message: String? = nil, at time: String
    ) -> Bool {
        guard let index = firstIndex(where: { $0.type == type }) else {
            append(Condition(type: type, status: status, lastTransitionTime: time, reason: reason, message: message))
            return true
        }
        let old = self[index]
        guard old.status != status || old.reason != reason || old.message != message else { return false }
        if old.status != status {
            self[index].lastTransitionTime = time
        }
        self[index].status = status
        self[index].reason = reason
        self[index].message = message
        return true
    }
}
