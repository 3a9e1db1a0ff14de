extension Pod {
    /// True when the pod has ended for good.
    public var isFinished: Bool { status?.phase == "Succeeded" || status?.phase == "Failed" }

    /// True when the Ready condition is.
    public var isReady: Bool { status?.conditions?.isTrue("Ready") ?? false }

    /// Time at which the pod last became ready, nil when it is not.
    public var readySince: Timestamp? {
        guard let condition = status?.conditions?["Ready"], condition.status == "True" else { return nil }
        return condition.lastTransitionTime.flatMap { Timestamp($0) }
    }

    /// The pod's addresses, primary first: `podIPs`, or `podIP` alone as older servers send it.
    public var addresses: [String] {
        if let addresses = status?.podIPs, !addresses.isEmpty {
            return addresses.map(\.ip)
        }
        guard let address = status?.podIP, !address.isEmpty else { return [] }
        return [address]
    }
}

extension Node {
    /// True when the Ready condition is.
    public var isReady: Bool { status?.conditions?.isTrue("Ready") ?? false }

    /// Blocks for pod addresses: `podCIDRs`, or `podCIDR` alone as older servers send it.
    public var podCIDRs: [String] {
        if let blocks = spec?.podCIDRs, !blocks.isEmpty {
            return blocks
        }
        guard let block = spec?.podCIDR, !block.isEmpty else { return [] }
        return [block]
    }
}
