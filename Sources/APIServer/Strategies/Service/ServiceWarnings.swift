import JSON
import KubernetesAPI

extension ServiceObject {
    /// Tells the client what is accepted but not as it should be, or has no effect.
    func warn(_ warnings: WarningSink) {
        let annotations = json.at("metadata", "annotations")
        if annotations?["service.kubernetes.io/topology-aware-hints"] != nil {
            warnings.warn(
                "annotation service.kubernetes.io/topology-aware-hints is deprecated, please use "
                    + "service.kubernetes.io/topology-mode instead")
        }
        if isHeadless {
            for (field, isSet) in [("loadBalancerIP", !loadBalancerIP.isEmpty), ("externalIPs", !externalIPs.isEmpty)]
            where isSet {
                warnings.warn("spec.\(field) is ignored when spec.clusterIP is \"None\"")
            }
            if text("sessionAffinity") == "ClientIP" {
                warnings.warn("spec.SessionAffinity is ignored for headless services")
            }
        } else {
            AddressRules.warnAboutForm(clusterIPs, at: "spec.clusterIPs", warnings)
        }
        AddressRules.warnAboutForm(externalIPs, at: "spec.externalIPs", warnings)
        if !loadBalancerIP.isEmpty {
            AddressRules.warnAboutForm(of: loadBalancerIP, at: "spec.loadBalancerIP", warnings)
        }
        for (index, range) in texts("loadBalancerSourceRanges").enumerated() {
            AddressRules.warnAboutForm(ofPrefix: range, at: FieldPath("spec.loadBalancerSourceRanges")[index], warnings)
        }
        if type == "ExternalName", !externalIPs.isEmpty {
            warnings.warn("spec.externalIPs is ignored when spec.type is \"ExternalName\"")
        }
        if type != "ExternalName", !text("externalName").isEmpty {
            warnings.warn("spec.externalName is ignored when spec.type is not \"ExternalName\"")
        }
    }

    private var loadBalancerIP: String { text("loadBalancerIP") }
}
