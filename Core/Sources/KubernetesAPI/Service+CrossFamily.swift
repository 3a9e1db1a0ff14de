extension Service {
    /// On a Service: `enabled` lets its addresses of one family lead to endpoints that have only the other, by translation.
    ///
    /// `disabled` keeps it from that where all Services are translated.
    public static let crossFamilyAnnotation = "network.duet.dev/cross-family"

    /// Whether the Service's author wants translation; nil when nothing that means anything is said.
    public var wantsTranslation: Bool? {
        switch metadata.annotations?[Self.crossFamilyAnnotation] {
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
