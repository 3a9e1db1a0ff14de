extension Service {
    /// On a Service, or a namespace for its Services: `enabled` lets addresses of one family lead to endpoints that have only the
    /// other, by translation; `disabled` keeps them from that.
    public static let crossFamilyAnnotation = "network.duet.dev/cross-family"

    /// Whether translation is wanted for a Service of a namespace; nil when neither says anything that means anything.
    public func wantsTranslation(in namespace: Namespace?) -> Bool? {
        metadata.wantsTranslation ?? namespace?.wantsTranslation
    }
}

extension Namespace {
    /// Whether translation is wanted for Services that say nothing themselves; nil when nothing that means anything is said.
    public var wantsTranslation: Bool? { metadata.wantsTranslation }
}

extension ObjectMeta {
    fileprivate var wantsTranslation: Bool? {
        switch annotations?[Service.crossFamilyAnnotation] {
        case "enabled": true
        case "disabled": false
        default: nil
        }
    }
}

extension WellKnownLabel {
    /// On an EndpointSlice that none but Duet's proxies are to find: name of the Service, which lacks the slice's family.
    public static let translatedServiceName = "network.duet.dev/service-name"
}
